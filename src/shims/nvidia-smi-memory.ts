/**
 * The query's answer beside the last one of the same host. From tick to tick a few numbers change in rows of forty cells,
 * so that those alone are read, byte by byte. Anything else (a failed GPU, a sentence, a cell of another shape) is left to
 * `readQuery`.
 */
import type { Gpu } from "../record.js";
import {
  bytesCell,
  celsiusCell,
  integerCell,
  megahertzCell,
  numberCell,
  percentCell,
  wattsCell,
} from "./cells.js";
import { throttleReasons } from "./nvidia-smi-cells.js";
import { canonicalField } from "./nvidia-smi-fields.js";
import type { QueryAnswer } from "./nvidia-smi-query.js";
import { PlainNumber } from "./plain-number.js";

type Draft = { -readonly [Key in keyof Gpu]: Gpu[Key] };
/** Sets what a cell tells; false when it tells no plain reading. */
type Take<Cell> = (gpu: Draft, cell: Cell) => boolean;
/** A cell that says one thing of a GPU, whatever its other cells are; `fixed` ones do not change while a GPU is well. */
type Column =
  | { readonly kind: "fixed" }
  | { readonly kind: "number"; readonly take: Take<number> }
  | { readonly kind: "mask"; readonly take: Take<string> };

const FIXED: Column = { kind: "fixed" };
const number = (take: Take<number>): Column => ({ kind: "number", take });

const LIVE: ReadonlyMap<string, Column> = new Map([
  ["utilization.gpu", number((gpu, cell) => (gpu.utilization = percentCell(cell)) !== null)],
  ["utilization.memory", number((gpu, cell) => (gpu.memory_utilization = percentCell(cell)) !== null)],
  ["memory.used", number((gpu, cell) => (gpu.used_memory = bytesCell(cell, "MiB")) !== null)],
  ["memory.free", number((gpu, cell) => (gpu.memory_free = bytesCell(cell, "MiB")) !== null)],
  ["temperature.gpu", number((gpu, cell) => (gpu.temperature = celsiusCell(cell)) !== null)],
  ["temperature.memory", number((gpu, cell) => (gpu.temperature_memory = celsiusCell(cell)) !== null)],
  ["clocks.current.graphics", number((gpu, cell) => (gpu.frequency = megahertzCell(cell)) !== null)],
  ["clocks.current.memory", number((gpu, cell) => (gpu.clock_memory = megahertzCell(cell)) !== null)],
  ["clocks.current.sm", number((gpu, cell) => (gpu["clock_sm"] = megahertzCell(cell)) !== null)],
  ["power.draw", number((gpu, cell) => (gpu.power_consumption = wattsCell(cell)) !== null)],
  ["fan.speed", number((gpu, cell) => (gpu.fan_speed_percent = numberCell(cell)) !== null)],
  [
    "ecc.errors.corrected.aggregate.total",
    number((gpu, cell) => (gpu.ecc_corrected_total = integerCell(cell)) !== null),
  ],
  [
    "ecc.errors.corrected.volatile.total",
    number((gpu, cell) => (gpu["ecc_corrected_since_load"] = integerCell(cell)) !== null),
  ],
  // Told only in the place of power.draw, which is a number in every row that is kept.
  ["power.draw.average", number(() => true)],
  ["power.draw.instant", number(() => true)],
  [
    "clocks_event_reasons.active",
    { kind: "mask", take: (gpu, cell) => (gpu.throttle_reasons = throttleReasons(cell)) !== null },
  ],
]);

const NUMBER = /^\d{1,9}(?:\.\d{1,9})?$/;
const MASK = /^0x[0-9a-f]{1,16}$/;
const SEPARATOR = ", ";
const COMMA = 0x2c;
const BLANK = 0x20;
const NEWLINE = 0x0a;

// Of the answer that is being read, whichever host's: nothing is held from one answer to the next.
let now = Buffer.alloc(8 * 1024);
const cell = new PlainNumber();
let at = 0;
let was = 0;

export class QueryMemory {
  #header = "";
  #columns: readonly Column[] = [];
  /** Changed in place from tick to tick; a reading gets copies. */
  #gpus: Draft[] = [];
  /** The rows of the last answer. */
  #before = Buffer.alloc(0);
  /** The last whole answer, not yet taken apart: a run of one tick never needs it. */
  #last: { readonly text: string; readonly answer: QueryAnswer } | null = null;

  /** The GPUs of an answer that differs from the last one in live readings only; null for any other. */
  read(text: string): readonly Gpu[] | null {
    if (this.#last !== null) this.#takeApart(this.#last.text, this.#last.answer);
    if (this.#gpus.length === 0 || !text.startsWith(this.#header)) return null;
    // A character may be three bytes; none is more.
    if (now.length < text.length * 3) now = Buffer.alloc(text.length * 3);
    // The same bytes for the usual text, and written much faster.
    const length = isAscii(text) ? now.write(text, "latin1") : now.write(text);
    at = this.#header.length;
    was = 0;
    const isRead = this.#gpus.every((gpu) => this.#readRow(gpu)) && at === length;
    if (!isRead) {
      // Some of the readings may have been taken already.
      this.#gpus = [];
      return null;
    }
    this.#keepRows(length);
    return this.#gpus.map((gpu) => ({ ...gpu }));
  }

  /** Keeps a whole answer for the next tick, if it is one whose rows can be told by their cells alone. */
  remember(text: string, answer: QueryAnswer): void {
    this.#last = { text, answer };
  }

  #takeApart(text: string, { gpus, errors }: QueryAnswer): void {
    this.#last = null;
    this.#gpus = [];
    const [first = "", ...lines] = text.split("\n");
    const fields = first.split(SEPARATOR).map((name) => canonicalField(name.replace(/ \[.*$/, "")));
    const isPlain =
      errors.length === 0 && lines.pop() === "" && lines.length === gpus.length && gpus.every(isWell);
    if (!isPlain || fields.length < 2 || new Set(fields).size !== fields.length || !isAscii(first)) return;
    const power = fields.indexOf("power.draw");
    const isTold = (line: string): boolean => {
      const cells = line.split(SEPARATOR);
      const isWhole = cells.length === fields.length && cells.every((each) => each === each.trim());
      return isWhole && NUMBER.test(cells[power] ?? "");
    };
    if (!lines.every(isTold)) return;
    this.#header = `${first}\n`;
    this.#columns = fields.map((field) => LIVE.get(field) ?? FIXED);
    const rows = text.slice(this.#header.length);
    // Of its own: a small one from Node's pool would keep 8 KiB alive.
    this.#before = Buffer.alloc(Buffer.byteLength(rows));
    this.#before.write(rows);
    // What was built key by key is a hash table to V8, and slow to copy; a clone is not.
    this.#gpus = gpus.map((gpu) => structuredClone(gpu));
  }

  #keepRows(length: number): void {
    const rows = length - this.#header.length;
    // Room for a digit more here and there.
    if (this.#before.length < rows) this.#before = Buffer.alloc(rows + 64);
    now.copy(this.#before, 0, this.#header.length, length);
  }

  /** Takes what differs from the row's last text; false when that is no live reading, or the row is none. */
  #readRow(gpu: Draft): boolean {
    const last = this.#columns.length - 1;
    for (let index = 0; index <= last; index++) {
      const from = at;
      if (this.#isSame(index === last)) continue;
      if (!this.#takeCell(gpu, this.#columns[index] ?? FIXED, from, index === last)) return false;
    }
    return true;
  }

  /** Passes over a cell that is as it was, with its end. Where it differs, `at` and `was` stand at the difference. */
  #isSame(isLast: boolean): boolean {
    const before = this.#before;
    for (;;) {
      const byte = now[at];
      if (byte === undefined || byte !== before[was]) return false;
      at += 1;
      was += 1;
      if (byte === NEWLINE) return isLast;
      if (byte === COMMA && !isLast && now[at] === BLANK && before[was] === BLANK) {
        at += 1;
        was += 1;
        return true;
      }
    }
  }

  /** Takes a live cell that begins at `from` and differs from the last one, with its end. */
  #takeCell(gpu: Draft, column: Column, from: number, isLast: boolean): boolean {
    const before = this.#before;
    const wasFrom = was - (at - from);
    switch (column.kind) {
      case "fixed":
        return false;
      case "number":
        if (!cell.read(before, wasFrom)) return false;
        was = cell.end;
        if (!cell.read(now, from)) return false;
        at = cell.end;
        return this.#passEnd(isLast) && column.take(gpu, cell.value);
      case "mask": {
        was = endOfCell(before, wasFrom);
        at = endOfCell(now, from);
        const mask = now.toString("latin1", from, at);
        const isMask = MASK.test(before.toString("latin1", wasFrom, was)) && MASK.test(mask);
        return isMask && this.#passEnd(isLast) && column.take(gpu, mask);
      }
    }
  }

  #passEnd(isLast: boolean): boolean {
    const before = this.#before;
    const ended = isLast
      ? now[at] === NEWLINE && before[was] === NEWLINE
      : now[at] === COMMA && now[at + 1] === BLANK && before[was] === COMMA && before[was + 1] === BLANK;
    const length = isLast ? 1 : 2;
    at += length;
    was += length;
    return ended;
  }
}

function endOfCell(bytes: Uint8Array, from: number): number {
  let end = from;
  for (let byte = bytes[end]; byte !== undefined && byte !== COMMA && byte !== NEWLINE; byte = bytes[end])
    end += 1;
  return end;
}

function isAscii(text: string): boolean {
  return Buffer.byteLength(text) === text.length;
}

/** A GPU whose readings do not depend on each other: it draws power, has memory of its own and no failure. */
function isWell(gpu: Gpu): boolean {
  return gpu.error === undefined && gpu.power_consumption !== null && gpu.memory_source === "device";
}
