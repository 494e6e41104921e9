/** What a run reports to its operator, on standard error. */
import type { ReportFault } from "./errors.js";

/** The channels of the operator's log. None of them throws. */
export interface OperatorLog {
  /** What may be wrong. */
  readonly warn: (message: string) => void;
  /** What is done, for `--verbose`. */
  readonly debug: (message: string) => void;
  /** A line for `--verbose` as it is. */
  readonly line: (line: string) => void;
  /** What was thrown for a host and should not have been. */
  readonly fault: ReportFault;
  /** The same from another thread, as a stack. */
  readonly faultStack: (host: string, stack: string) => void;
}
