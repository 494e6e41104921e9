/** Bytes of NDJSON, ours or all-smi's, to records, with the number of each bad line. The only importer of ndjson. */
import ndjson from "ndjson";
import { expandCompact } from "../contract/expand-compact.js";
import { checkRecord } from "../contract/record-check.js";
import type { StreamRecord } from "../contract/record.js";
import { NEWLINE } from "../lib/bytes.js";
import { AllSmiRecording, isAllSmiLine } from "./all-smi-recording.js";

const OPEN_BRACE = 0x7b;
const BLANKS = new Set([0x20, 0x09, 0x0d]);
const BOM = Buffer.from("\ufeff");
/** A frame of eight GPUs is some KiB. A longer line than this is no record and is not buffered. */
const MAX_LINE_BYTES = 16 * 2 ** 20;

/**
 * ndjson decodes UTF-8, joins the pieces of a line and parses it. It drops lines that it cannot parse without a trace,
 * ends its stream at a line `null`, and buffers a line of any length. So it gets one line at a time, only lines that start
 * as an object, and no more than MAX_LINE_BYTES of one.
 */
export class RecordLines {
  readonly #parser = ndjson.parse({ strict: false });
  readonly #report: (line: number, problem: string) => void;
  readonly #allSmi = new AllSmiRecording();
  #line = 1;
  #bytes = 0;
  readonly #pieces: Buffer[] = [];
  #kind: "blank" | "object" | "other" | "too-long" = "blank";

  /** `report` takes the number of each line that is left out (from 1), and why. */
  constructor(report: (line: number, problem: string) => void) {
    this.#report = report;
  }

  /** The records of the lines that end in this chunk. */
  take(chunk: Buffer): readonly StreamRecord[] {
    const records: StreamRecord[] = [];
    const isStart = this.#line === 1 && this.#bytes === 0;
    let start = isStart && chunk.subarray(0, BOM.length).equals(BOM) ? BOM.length : 0;
    while (start < chunk.length) {
      const newline = chunk.indexOf(NEWLINE, start);
      this.#feed(chunk.subarray(start, newline === -1 ? chunk.length : newline));
      if (newline === -1) break;
      this.#endLine(records);
      start = newline + 1;
    }
    return records;
  }

  /** The record of a last line without a newline. */
  end(): readonly StreamRecord[] {
    const records: StreamRecord[] = [];
    this.#endLine(records);
    this.#parser.destroy();
    return records;
  }

  #feed(piece: Buffer): void {
    this.#bytes += piece.length;
    if (this.#kind === "blank") {
      const first = piece.find((byte) => !BLANKS.has(byte));
      if (first !== undefined) this.#kind = first === OPEN_BRACE ? "object" : "other";
    }
    if (this.#kind === "object" && this.#bytes > MAX_LINE_BYTES) {
      this.#kind = "too-long";
      this.#pieces.length = 0;
    }
    if (this.#kind === "object" && piece.length > 0) this.#pieces.push(piece);
  }

  #endLine(records: StreamRecord[]): void {
    const read = this.#recordsOrProblem();
    if (typeof read === "string") this.#report(this.#line, read);
    // Not spread into push: a frame of all-smi may be of thousands of hosts.
    else for (const record of read) records.push(record);
    this.#line += 1;
    this.#bytes = 0;
    this.#kind = "blank";
  }

  #recordsOrProblem(): readonly StreamRecord[] | string {
    if (this.#kind === "blank") return [];
    if (this.#kind === "other") return "is not a JSON object";
    if (this.#kind === "too-long") return `is longer than ${MAX_LINE_BYTES} bytes`;
    // In one piece: the parser looks through all that it has with each write.
    this.#parser.write(Buffer.concat(this.#pieces.splice(0)));
    this.#parser.write("\n");
    // Null where the parser dropped the line.
    const value: unknown = this.#parser.read();
    if (value === null) return "is not JSON";
    if (isAllSmiLine(value)) return this.#allSmi.read(value);
    const record = checkRecord(value);
    return typeof record === "string" ? record : [expandCompact(record)];
  }
}
