/** What a run needs of its process. A stage that needs less takes a Pick of it. */
import type { Readable, Writable } from "node:stream";
import type { Clock } from "../lib/clock.js";
import type { Keyboard } from "./keyboard.js";

/** Standard output as the process has it. */
export interface OutputStream extends Writable {
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

export interface RuntimeDeps {
  readonly stdin: Readable;
  readonly stdout: OutputStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly programs: Programs;
  /** Whether `logLine` writes to a terminal. */
  readonly logsToTerminal: boolean;
  /** Null where standard input or output is no terminal: no key is read there. */
  readonly keyboard: Keyboard | null;
  /** One line for the operator, on standard error. */
  logLine(line: string): void;
  /**
   * Calls back whenever `--output` is to be opened again (SIGHUP), and at once where that was requested before. Settles
   * when that is done.
   */
  onReopen(listener: () => Promise<void>): Promise<void>;
}
