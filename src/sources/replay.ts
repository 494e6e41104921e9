/** `--replay`: recorded NDJSON as the same batches that a live fleet gives. The only importer of ndjson. */
import type { Readable } from "node:stream";
import ndjson from "ndjson";
import { UsageError } from "../contract/errors.js";
import { checkRecord } from "../contract/record-check.js";
import type { StreamRecord } from "../contract/record.js";
import { NEWLINE } from "../lib/bytes.js";
import type { Clock } from "../lib/clock.js";

export interface ReplayOptions {
  /** Destroyed at the end or when the signal aborts. */
  readonly source: Readable;
  /** For messages. */
  readonly name: string;
  /** Times the recorded pace; "max": as fast as the records are taken. */
  readonly speed: number | "max";
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Told of each line that is left out, as `file:line: what`; after the first few only of how many more there were. */
  readonly warn: (message: string) => void;
}

const MAX_WARNINGS = 20;

/** Batches in the order of the file; holds one chunk of it at a time. Throws UsageError when it cannot be read. */
export function replay(options: ReplayOptions): AsyncGenerator<readonly StreamRecord[], void> {
  // A file that cannot be opened says so at once, perhaps before anyone asks for the first batch; it is told then.
  options.source.on("error", () => undefined);
  return play(options);
}

async function* play(options: ReplayOptions): AsyncGenerator<readonly StreamRecord[], void> {
  const { source, name, speed, clock, signal, warn } = options;
  const destroy = (): void => {
    source.destroy();
  };
  signal.addEventListener("abort", destroy, { once: true });
  if (signal.aborted) destroy();
  let left = 0;
  const reader = new LineReader((line, problem) => {
    left += 1;
    if (left <= MAX_WARNINGS) warn(`${name}:${line}: ${problem}; it is left out`);
  });
  const pace = speed === "max" ? null : new Pace(speed, clock, signal);
  try {
    for await (const chunk of source as AsyncIterable<Buffer>) {
      const records = reader.take(chunk);
      if (pace === null) {
        if (records.length > 0) yield records;
      } else yield* pace.spread(records);
    }
    const last = reader.end();
    if (last.length > 0) yield* pace === null ? [last] : pace.spread(last);
  } catch (error) {
    if (signal.aborted) return;
    if (error instanceof Error && "code" in error)
      throw new UsageError([`--replay: cannot read ${name}: ${error.message}`]);
    throw error;
  } finally {
    signal.removeEventListener("abort", destroy);
    destroy();
    if (left > MAX_WARNINGS) warn(`${name}: ${left - MAX_WARNINGS} more lines are left out`);
  }
}

const OPEN_BRACE = 0x7b;
const BLANKS = new Set([0x20, 0x09, 0x0d]);
const BOM = Buffer.from("\ufeff");
/** A frame of eight GPUs is some KiB; a line beyond this is no record and is not gathered. */
const MAX_LINE_BYTES = 16 * 2 ** 20;

/**
 * Bytes to records. The parser drops what it cannot parse without a word, and takes a line `null` for the end of the
 * stream; so it is fed a line at a time, and only lines that start as an object.
 */
class LineReader {
  private readonly parser = ndjson.parse({ strict: false });
  private line = 1;
  private bytes = 0;
  private kind: "blank" | "object" | "other" | "too-long" = "blank";

  constructor(private readonly report: (line: number, problem: string) => void) {}

  take(chunk: Buffer): readonly StreamRecord[] {
    const records: StreamRecord[] = [];
    let start = this.line === 1 && this.bytes === 0 && chunk.subarray(0, 3).equals(BOM) ? 3 : 0;
    while (start < chunk.length) {
      const newline = chunk.indexOf(NEWLINE, start);
      const end = newline === -1 ? chunk.length : newline;
      this.feed(chunk.subarray(start, end));
      if (newline === -1) break;
      this.endLine(records);
      start = newline + 1;
    }
    return records;
  }

  end(): readonly StreamRecord[] {
    const records: StreamRecord[] = [];
    this.endLine(records);
    this.parser.destroy();
    return records;
  }

  private feed(piece: Buffer): void {
    this.bytes += piece.length;
    if (this.kind === "blank") {
      const first = piece.find((byte) => !BLANKS.has(byte));
      if (first !== undefined) this.kind = first === OPEN_BRACE ? "object" : "other";
    }
    if (this.kind === "object" && this.bytes > MAX_LINE_BYTES) this.kind = "too-long";
    if (this.kind === "object" && piece.length > 0) this.parser.write(piece);
  }

  private endLine(records: StreamRecord[]): void {
    if (this.kind === "object" || this.kind === "too-long") {
      this.parser.write("\n");
      // Untyped, and null when the parser dropped the line.
      const value: unknown = this.parser.read();
      const record =
        this.kind === "too-long"
          ? `is longer than ${MAX_LINE_BYTES} bytes`
          : value === null
            ? "is not JSON"
            : checkRecord(value);
      if (typeof record === "string") this.report(this.line, record);
      else records.push(record);
    } else if (this.kind === "other") this.report(this.line, "is not a JSON object");
    this.line += 1;
    this.bytes = 0;
    this.kind = "blank";
  }
}

/** Holds records back until their time, counted from the first one's timestamp. */
class Pace {
  private start: { readonly recordedMs: number; readonly nowMs: number } | null = null;

  constructor(
    private readonly speed: number,
    private readonly clock: Clock,
    private readonly signal: AbortSignal,
  ) {}

  async *spread(records: readonly StreamRecord[]): AsyncGenerator<readonly StreamRecord[], void> {
    let due: StreamRecord[] = [];
    for (const record of records) {
      const waitMs = this.waitFor(record);
      if (waitMs > 0) {
        if (due.length > 0) yield due;
        due = [];
        await this.sleep(this.waitFor(record));
        if (this.signal.aborted) return;
      }
      due.push(record);
    }
    if (due.length > 0) yield due;
  }

  private waitFor(record: StreamRecord): number {
    const recordedMs = Date.parse(record.timestamp);
    this.start ??= { recordedMs, nowMs: this.clock.nowMs() };
    return (recordedMs - this.start.recordedMs) / this.speed - (this.clock.nowMs() - this.start.nowMs);
  }

  private async sleep(ms: number): Promise<void> {
    if (ms <= 0 || this.signal.aborted) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        timer.cancel();
        this.signal.removeEventListener("abort", done);
        resolve();
      };
      const timer = this.clock.after(ms, done);
      this.signal.addEventListener("abort", done, { once: true });
    });
  }
}
