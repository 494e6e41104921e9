/** What a run reports to its operator, on standard error. */
import type { ReportFault } from "./errors.js";

/** Which lines a run logs of its hosts. Plain data. */
export interface HostChangeLines {
  /** A line for the first connection of each host too. */
  readonly firstConnections: boolean;
  /** A line for every attempt to connect, however it ends. */
  readonly attempts: boolean;
  /** Where the command stands that would fix a failure: at the end of its line, or in a line below, to be copied. */
  readonly fix: "same line" | "below";
  readonly maxLines: number;
}

/** The channels of the operator's log. None of them throws. */
export interface OperatorLog {
  /** What may be wrong. */
  readonly warn: (message: string) => void;
  /** What is done, for `--verbose`. */
  readonly debug: (message: string) => void;
  /** A line as it is. */
  readonly line: (line: string) => void;
  /** What \`line\` gets of hosts; null: nothing. */
  readonly hostChanges: HostChangeLines | null;
  /** What was thrown for a host and should not have been. */
  readonly fault: ReportFault;
  /** The same from another thread, as a stack. */
  readonly faultStack: (host: string, stack: string) => void;
}
