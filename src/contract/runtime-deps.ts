/** What a run needs of its process. A stage that needs less takes a Pick of it. */
import type { Readable, Writable } from "node:stream";
import type { Clock } from "../lib/clock.js";
import type { Keyboard } from "./keyboard.js";
import type { Target } from "./target.js";

/** Standard output as the process has it. */
export interface OutputStream extends Writable {
  /** Absent: it is no descriptor of this process. */
  readonly fd?: number;
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

/** The files of the programs that a run starts beside itself. */
export interface Programs {
  /** Runs in each worker thread. */
  readonly thread: URL;
  /** Runs in each process that looks names up. */
  readonly resolver: URL;
}

/** Reads the hosts' files and inventories again, with the same filters. Rejects with UsageError for a wrong one. */
export type RereadTargets = () => Promise<{
  readonly targets: readonly Target[];
  readonly warnings: readonly string[];
}>;

/** The terminal that standard error is. */
export interface LogTerminal {
  /** Its width now. */
  columns(): number;
  /** Writes the text as it is. */
  write(text: string): void;
}

export interface RuntimeDeps {
  readonly stdin: Readable;
  readonly stdout: OutputStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly programs: Programs;
  /** The terminal that `logLine` writes to; null: it writes to a file, a pipe or nowhere. */
  readonly logTerminal: LogTerminal | null;
  /** Null or absent where standard input or output is no terminal: no key is read there. */
  readonly keyboard?: Keyboard | null;
  /** One line for the operator, on standard error. */
  logLine(line: string): void;
  /** Null: hosts come from no file that can be read again, or are read once only. */
  readonly rereadTargets: RereadTargets | null;
  /** Calls back on each SIGHUP, and at once where one came before. Settles when that is done. */
  onHangUp(listener: () => Promise<void>): Promise<void>;
}
