/**
 * nvidia-smi's rows as fixed texts with live cells between them. Most of a row is compared four bytes at a time, and no
 * text is made of a live number.
 */
import type { Gpu } from "../../../contract/record.js";
import { isAscii, viewOf } from "../../../lib/bytes.js";
import {
  bytesCell,
  celsiusCell,
  fanCell,
  integerCell,
  megahertzCell,
  percentCell,
  wattsCell,
} from "../../kit/cells.js";
import { microseconds, temperatureMargin, throttleReasons } from "../cells.js";
import { PlainNumber } from "./plain-number.js";

/** A GPU that is changed in place. */
export type GpuDraft = { -readonly [Key in keyof Gpu]: Gpu[Key] };
/** Sets the reading of a cell; false when the cell is no plain reading. */
type SetReading<Cell> = (gpu: GpuDraft, cell: Cell) => boolean;
/** A cell that decides one reading of a GPU, whatever the other cells are. */
type LiveField =
  | { readonly kind: "number"; readonly set: SetReading<number> }
  | { readonly kind: "mask"; readonly set: SetReading<string> };

const number = (set: SetReading<number>): LiveField => ({ kind: "number", set });

/** Every other field stays as it is while a GPU is well, or changes so seldom that the plain function may read it. */
const LIVE: ReadonlyMap<string, LiveField> = new Map([
  ["utilization.gpu", number((gpu, cell) => (gpu.utilization = percentCell(cell)) !== null)],
  ["utilization.memory", number((gpu, cell) => (gpu.memory_utilization = percentCell(cell)) !== null)],
  ["utilization.encoder", number((gpu, cell) => (gpu.encoder_utilization = percentCell(cell)) !== null)],
  ["utilization.decoder", number((gpu, cell) => (gpu.decoder_utilization = percentCell(cell)) !== null)],
  ["memory.used", number((gpu, cell) => (gpu.used_memory = bytesCell(cell, "MiB")) !== null)],
  ["memory.free", number((gpu, cell) => (gpu.memory_free = bytesCell(cell, "MiB")) !== null)],
  // 0 degrees may be a chip that was not read, which other cells decide.
  ["temperature.gpu", number((gpu, cell) => cell > 0 && (gpu.temperature = celsiusCell(cell)) !== null)],
  ["temperature.memory", number((gpu, cell) => (gpu.temperature_memory = celsiusCell(cell)) !== null)],
  // A margin below 0 is no plain number, and read by the plain function.
  [
    "temperature.gpu.tlimit",
    number((gpu, cell) => (gpu.temperature_margin = temperatureMargin(cell)) !== null),
  ],
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
  [
    "clocks_event_reasons_counters.sw_power_cap",
    number((gpu, cell) => (gpu.throttle_time_sw_power_cap = microseconds(cell)) !== null),
  ],
  [
    "clocks_event_reasons_counters.sw_thermal_slowdown",
    number((gpu, cell) => (gpu.throttle_time_sw_thermal = microseconds(cell)) !== null),
  ],
  [
    "clocks_event_reasons_counters.hw_thermal_slowdown",
    number((gpu, cell) => (gpu.throttle_time_hw_thermal = microseconds(cell)) !== null),
  ],
  [
    "clocks_event_reasons_counters.hw_power_brake_slowdown",
    number((gpu, cell) => (gpu.throttle_time_hw_power_brake = microseconds(cell)) !== null),
  ],
  // Read only in place of power.draw, which is a number in every row that is kept.
  ["power.draw.average", number(() => true)],
  ["power.draw.instant", number(() => true)],
  [
    "clocks_event_reasons.active",
    { kind: "mask", set: (gpu, cell) => (gpu.throttle_reasons = throttleReasons(cell)) !== null },
  ],
]);

/** What PlainNumber reads. */
const NUMBER = /^(?:\d{1,15}|\d{1,9}\.\d{1,6})$/;
const MASK = /^0x[0-9a-f]{1,16}$/;
export const SEPARATOR = ", ";
/** The largest length that `LiveRows.lengths` can hold. */
export const MAX_ROWS_BYTES = 0xffff;

const LIVE_NAMES = [...LIVE.keys()];
const LIVE_FIELDS = [...LIVE.values()];
/** The kind of a piece that is no live cell: a fixed text, or the end of a row. */
const TEXT = LIVE_FIELDS.length;
const ROW_END = TEXT + 1;

// The answer that is being read, of whichever host: nothing is kept here from one answer to the next.
let input = Buffer.alloc(8 * 1024);
let inputView = viewOf(input);
const parsedNumber = new PlainNumber();

export function isPlainNumber(cell: string): boolean {
  return NUMBER.test(cell);
}

/** All rows as one list of pieces. `kinds` and `lengths` have an entry for each piece. All four are in one buffer. */
export interface LiveRows {
  /** Index of a live field, or TEXT, or ROW_END. */
  readonly kinds: Uint8Array;
  /** Bytes of a text or a mask; 0 for a number. */
  readonly lengths: Uint16Array;
  /** The last value of each number. */
  readonly numbers: Float64Array;
  /** The fixed texts and the last masks, one after another. */
  readonly texts: DataView;
}

/** `rows`: the cells of each row, in all at most MAX_ROWS_BYTES. */
export function liveRows(fields: readonly string[], rows: readonly (readonly string[])[]): LiveRows {
  const [kinds, lengths, numbers, texts]: [number[], number[], number[], string[]] = [[], [], [], []];
  const add = (kind: number, text: string): void => {
    kinds.push(kind);
    lengths.push(Buffer.byteLength(text));
    texts.push(text);
  };
  for (const cells of rows) {
    let text = "";
    for (const [column, cell] of cells.entries()) {
      if (column > 0) text += SEPARATOR;
      const index = LIVE_NAMES.indexOf(fields[column] ?? "");
      const kind = LIVE_FIELDS[index]?.kind;
      if (kind === "number" ? isPlainNumber(cell) : kind === "mask" && MASK.test(cell)) {
        add(TEXT, text);
        text = "";
        if (kind === "number") numbers.push(Number(cell));
        add(index, kind === "number" ? "" : cell);
      } else text += cell;
    }
    add(TEXT, `${text}\n`);
    add(ROW_END, "");
  }
  const bytes = Buffer.from(texts.join(""));
  // One for all, in the order of their alignment: each has an overhead of some 200 bytes, here and outside V8's heap.
  const lengthsAt = numbers.length * Float64Array.BYTES_PER_ELEMENT;
  const kindsAt = lengthsAt + lengths.length * Uint16Array.BYTES_PER_ELEMENT;
  const textsAt = kindsAt + kinds.length;
  const memory = new ArrayBuffer(textsAt + bytes.length);
  new Float64Array(memory, 0, numbers.length).set(numbers);
  new Uint16Array(memory, lengthsAt, lengths.length).set(lengths);
  new Uint8Array(memory, kindsAt, kinds.length).set(kinds);
  new Uint8Array(memory, textsAt).set(bytes);
  return {
    kinds: new Uint8Array(memory, kindsAt, kinds.length),
    lengths: new Uint16Array(memory, lengthsAt, lengths.length),
    numbers: new Float64Array(memory, 0, numbers.length),
    texts: new DataView(memory, textsAt),
  };
}

/**
 * Updates `gpus` with the live readings that changed in `text`, whose rows begin at `at`. False when anything else
 * changed; some readings may have been updated by then.
 */
export function readRows(rows: LiveRows, gpus: readonly GpuDraft[], text: string, at: number): boolean {
  const { kinds, lengths, numbers, texts } = rows;
  const end = fillInput(text);
  let textAt = 0;
  let numberAt = 0;
  let row = 0;
  let gpu = gpus[0];
  for (let piece = 0; piece < kinds.length; piece++) {
    const kind = kinds[piece] ?? TEXT;
    const length = lengths[piece] ?? 0;
    if (at + length > end) return false;
    if (kind === ROW_END) gpu = gpus[++row];
    else if (kind === TEXT) {
      if (!isSame(texts, textAt, at, length)) return false;
    } else {
      const field = LIVE_FIELDS[kind];
      if (field === undefined || gpu === undefined) return false;
      if (field.kind === "number") {
        if (!parsedNumber.read(input, at)) return false;
        at = parsedNumber.end;
        if (parsedNumber.value !== numbers[numberAt] && !field.set(gpu, parsedNumber.value)) return false;
        numbers[numberAt++] = parsedNumber.value;
      } else if (!isSame(texts, textAt, at, length)) {
        // A mask of another length fails: a shorter one fails the pattern, a longer one the separator after it.
        const mask = input.toString("latin1", at, at + length);
        if (!MASK.test(mask) || !field.set(gpu, mask)) return false;
        for (let byte = 0; byte < length; byte++)
          texts.setUint8(textAt + byte, inputView.getUint8(at + byte));
      }
    }
    at += length;
    textAt += length;
  }
  return at === end;
}

/** Compares four bytes at a time: most of a row stays as it is. */
function isSame(texts: DataView, textAt: number, at: number, length: number): boolean {
  const end = textAt + length;
  for (; textAt + 4 <= end; textAt += 4, at += 4)
    if (texts.getInt32(textAt) !== inputView.getInt32(at)) return false;
  for (; textAt < end; textAt += 1, at += 1)
    if (texts.getUint8(textAt) !== inputView.getUint8(at)) return false;
  return true;
}

/** Writes the text into the input buffer and returns its length in bytes. */
function fillInput(text: string): number {
  // A UTF-16 unit becomes three bytes of UTF-8 at most.
  if (input.length < text.length * 3) {
    input = Buffer.alloc(text.length * 3);
    inputView = viewOf(input);
  }
  // The same bytes for ASCII, and written much faster.
  return isAscii(text) ? input.write(text, "latin1") : input.write(text);
}
