/** `--replay`: recorded NDJSON, ours or that of `all-smi record`, as the same batches that a live fleet yields, at the recorded pace or as fast as it can. */
import type { Readable } from "node:stream";
import { UsageError } from "../contract/errors.js";
import type { StreamRecord } from "../contract/record.js";
import { onAbort, pause } from "../lib/abort.js";
import type { Clock } from "../lib/clock.js";
import { RecordLines } from "./record-lines.js";
import { recordingBytes } from "./recording-bytes.js";

export interface ReplayOptions {
  /** Destroyed at the end or when the signal aborts. */
  readonly source: Readable;
  /** For messages. */
  readonly name: string;
  /** Times the recorded pace; "max": as fast as the records are taken. */
  readonly speed: number | "max";
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Takes `file:line: problem` for each line that is left out; after the first ones, only their number at the end. */
  readonly warn: (message: string) => void;
}

const MAX_WARNINGS = 20;

/** Batches in the order of the file; holds one chunk of it at a time. Throws UsageError when it cannot be read. */
export function replay(options: ReplayOptions): AsyncGenerator<readonly StreamRecord[], void> {
  // A file that cannot be opened may fail before the first batch is requested. The error is thrown then.
  options.source.on("error", () => undefined);
  return play(options);
}

async function* play(options: ReplayOptions): AsyncGenerator<readonly StreamRecord[], void> {
  const { source, name, speed, clock, signal, warn } = options;
  const stopListening = onAbort(signal, () => source.destroy());
  let leftOut = 0;
  const lines = new RecordLines((line, problem) => {
    leftOut += 1;
    if (leftOut <= MAX_WARNINGS) warn(`${name}:${line}: ${problem}; it is left out`);
  });
  const pacer = speed === "max" ? null : new Pacer(speed, clock, signal);
  try {
    for await (const chunk of recordingBytes(source, name)) yield* paced(lines.take(chunk), pacer);
    yield* paced(lines.end(), pacer);
  } catch (error) {
    if (signal.aborted) return;
    if (error instanceof Error && "code" in error)
      throw new UsageError([`--replay: cannot read ${name}: ${error.message}`]);
    throw error;
  } finally {
    stopListening();
    source.destroy();
    if (leftOut > MAX_WARNINGS) warn(`${name}: ${leftOut - MAX_WARNINGS} more lines are left out`);
  }
}

async function* paced(
  records: readonly StreamRecord[],
  pacer: Pacer | null,
): AsyncGenerator<readonly StreamRecord[], void> {
  if (pacer !== null) yield* pacer.spread(records);
  else if (records.length > 0) yield records;
}

/** Holds records back until their time, counted from the timestamp of the first one. */
class Pacer {
  readonly #speed: number;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  #start: { readonly recordedMs: number; readonly nowMs: number } | null = null;

  constructor(speed: number, clock: Clock, signal: AbortSignal) {
    this.#speed = speed;
    this.#clock = clock;
    this.#signal = signal;
  }

  /** Records that are due together are one batch. Throws the signal's reason. */
  async *spread(records: readonly StreamRecord[]): AsyncGenerator<readonly StreamRecord[], void> {
    let due: StreamRecord[] = [];
    for (const record of records) {
      if (this.#waitMs(record) > 0) {
        if (due.length > 0) yield due;
        due = [];
        // The reader took its time over what was due.
        const waitMs = this.#waitMs(record);
        if (waitMs > 0) await pause(this.#clock, waitMs, this.#signal);
      }
      due.push(record);
    }
    if (due.length > 0) yield due;
  }

  #waitMs(record: StreamRecord): number {
    const recordedMs = Date.parse(record.timestamp);
    this.#start ??= { recordedMs, nowMs: this.#clock.nowMs() };
    return (recordedMs - this.#start.recordedMs) / this.#speed - (this.#clock.nowMs() - this.#start.nowMs);
  }
}
