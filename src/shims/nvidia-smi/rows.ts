/**
 * nvidia-smi's rows as texts that stay and live cells between them: most of a row is passed over four bytes at a time,
 * and of a live cell no text is made.
 */
import type { Gpu } from "../../contract/record.js";
import { isAscii, viewOf } from "../../lib/bytes.js";
import {
  bytesCell,
  celsiusCell,
  fanCell,
  integerCell,
  megahertzCell,
  percentCell,
  wattsCell,
} from "../kit/cells.js";
import { PlainNumber } from "../kit/plain-number.js";
import { throttleReasons } from "./cells.js";

/** A GPU that is changed where it is. */
export type GpuDraft = { -readonly [Key in keyof Gpu]: Gpu[Key] };
/** Sets what a cell tells; false when it tells no plain reading. */
type Take<Cell> = (gpu: GpuDraft, cell: Cell) => boolean;
/** A cell that says one thing of a GPU, whatever its other cells are. Any other does not change while a GPU is well. */
type Live =
  | { readonly kind: "number"; readonly take: Take<number> }
  | { readonly kind: "mask"; readonly take: Take<string> };

const number = (take: Take<number>): Live => ({ kind: "number", take });

const LIVE: ReadonlyMap<string, Live> = new Map([
  ["utilization.gpu", number((gpu, cell) => (gpu.utilization = percentCell(cell)) !== null)],
  ["utilization.memory", number((gpu, cell) => (gpu.memory_utilization = percentCell(cell)) !== null)],
  ["memory.used", number((gpu, cell) => (gpu.used_memory = bytesCell(cell, "MiB")) !== null)],
  ["memory.free", number((gpu, cell) => (gpu.memory_free = bytesCell(cell, "MiB")) !== null)],
  // 0 degrees may be a chip that was not read, which other cells tell.
  ["temperature.gpu", number((gpu, cell) => cell > 0 && (gpu.temperature = celsiusCell(cell)) !== null)],
  ["temperature.memory", number((gpu, cell) => (gpu.temperature_memory = celsiusCell(cell)) !== null)],
  ["clocks.current.graphics", number((gpu, cell) => (gpu.frequency = megahertzCell(cell)) !== null)],
  ["clocks.current.memory", number((gpu, cell) => (gpu.clock_memory = megahertzCell(cell)) !== null)],
  ["clocks.current.sm", number((gpu, cell) => (gpu.clock_sm = megahertzCell(cell)) !== null)],
  ["power.draw", number((gpu, cell) => (gpu.power_consumption = wattsCell(cell)) !== null)],
  ["fan.speed", number((gpu, cell) => (gpu.fan_speed_percent = fanCell(cell)) !== null)],
  [
    "ecc.errors.corrected.aggregate.total",
    number((gpu, cell) => (gpu.ecc_corrected_total = integerCell(cell)) !== null),
  ],
  [
    "ecc.errors.corrected.volatile.total",
    number((gpu, cell) => (gpu.ecc_corrected_since_load = integerCell(cell)) !== null),
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
export const SEPARATOR = ", ";
/** In bytes: what a length below counts to. */
export const MAX_TEXT = 0xffff;

const LIVE_FIELDS = [...LIVE.keys()];
const LIVE_CELLS = [...LIVE.values()];
/** What a piece of the rows is, if not one of these cells: a text that stays, or the row's end. */
const TEXT = LIVE_CELLS.length;
const ROW_END = TEXT + 1;

// Of the answer that is being read, whichever host's: nothing is held from one answer to the next.
let now = Buffer.alloc(8 * 1024);
let view = viewOf(now);
const cell = new PlainNumber();

export function isPlainNumber(cell: string): boolean {
  return NUMBER.test(cell);
}

/** Rows in pieces, one after another. */
export interface Rows {
  readonly kinds: Uint8Array;
  /** Bytes of a text or a mask. */
  readonly lengths: Uint16Array;
  /** What a number told last. */
  readonly numbers: Float64Array;
  /** The texts and the last masks. */
  readonly texts: DataView;
}

/** `rows` as cells, of at most MAX_TEXT bytes. */
export function rowsOf(fields: readonly string[], rows: readonly (readonly string[])[]): Rows {
  const [kinds, lengths, numbers, texts]: [number[], number[], number[], string[]] = [[], [], [], []];
  const add = (kind: number, text: string, value = 0): void => {
    kinds.push(kind);
    lengths.push(Buffer.byteLength(text));
    numbers.push(value);
    texts.push(text);
  };
  for (const cells of rows) {
    let text = "";
    for (const [column, told] of cells.entries()) {
      if (column > 0) text += SEPARATOR;
      const at = LIVE_FIELDS.indexOf(fields[column] ?? "");
      const kind = LIVE_CELLS[at]?.kind;
      if (kind === "number" ? isPlainNumber(told) : kind === "mask" && MASK.test(told)) {
        add(TEXT, text);
        text = "";
        if (kind === "number") add(at, "", Number(told));
        else add(at, told);
      } else text += told;
    }
    add(TEXT, `${text}\n`);
    add(ROW_END, "");
  }
  // Of its own: a small one from Node's pool would keep 8 KiB alive.
  const bytes = Buffer.alloc(Buffer.byteLength(texts.join("")));
  bytes.write(texts.join(""));
  return {
    kinds: Uint8Array.from(kinds),
    lengths: Uint16Array.from(lengths),
    numbers: Float64Array.from(numbers),
    texts: viewOf(bytes),
  };
}

/** Takes what changed of the rows in `text`, which begin at `at`; false when anything but live readings did. */
export function readRows(rows: Rows, gpus: readonly GpuDraft[], text: string, at: number): boolean {
  const { kinds, lengths, numbers, texts } = rows;
  const end = lay(text);
  let was = 0;
  let row = 0;
  let gpu = gpus[0];
  for (let piece = 0; piece < kinds.length; piece++) {
    const kind = kinds[piece] ?? TEXT;
    const length = lengths[piece] ?? 0;
    if (at + length > end) return false;
    if (kind === ROW_END) gpu = gpus[++row];
    else if (kind === TEXT) {
      if (!isSame(texts, was, at, length)) return false;
    } else {
      const live = LIVE_CELLS[kind];
      if (live === undefined || gpu === undefined) return false;
      if (live.kind === "number") {
        if (!cell.read(now, at)) return false;
        at = cell.end;
        if (cell.value !== numbers[piece] && !live.take(gpu, cell.value)) return false;
        numbers[piece] = cell.value;
      } else if (!isSame(texts, was, at, length)) {
        // A mask of another length is none here: a shorter one is cut too late, a longer one is followed by no separator.
        const mask = now.toString("latin1", at, at + length);
        if (!MASK.test(mask) || !live.take(gpu, mask)) return false;
        for (let byte = 0; byte < length; byte++) texts.setUint8(was + byte, view.getUint8(at + byte));
      }
    }
    at += length;
    was += length;
  }
  return at === end;
}

/** Four bytes at a time: most of a row stays as it is. */
function isSame(texts: DataView, was: number, at: number, length: number): boolean {
  const end = was + length;
  for (; was + 4 <= end; was += 4, at += 4) if (texts.getInt32(was) !== view.getInt32(at)) return false;
  for (; was < end; was += 1, at += 1) if (texts.getUint8(was) !== view.getUint8(at)) return false;
  return true;
}

/** Puts the text where rows are read, and tells its bytes. */
function lay(text: string): number {
  // A character may be three bytes; none is more.
  if (now.length < text.length * 3) {
    now = Buffer.alloc(text.length * 3);
    view = viewOf(now);
  }
  // The same bytes for the usual text, and written much faster.
  return isAscii(text) ? now.write(text, "latin1") : now.write(text);
}
