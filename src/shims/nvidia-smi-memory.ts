/**
 * The query's answer beside the last one of the same host. From tick to tick a few numbers change in rows of forty cells,
 * so that those alone are read. Anything else (a failed GPU, a sentence, a cell of another shape) is left to `readQuery`.
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

type Draft = { -readonly [Key in keyof Gpu]: Gpu[Key] };
/** Sets what a cell tells; false when it tells no plain reading. */
type Take = (gpu: Draft, cell: string) => boolean;

const NUMBER = /^\d{1,9}(?:\.\d{1,9})?$/;
const MASK = /^0x[0-9a-f]{1,16}$/;

/** Fields that say one thing of a GPU each, whatever its other cells are. `shape`: of the cell before and after. */
const LIVE: ReadonlyMap<string, { readonly shape: RegExp; readonly take: Take }> = new Map([
  live("utilization.gpu", (gpu, cell) => (gpu.utilization = percentCell(cell)) !== null),
  live("utilization.memory", (gpu, cell) => (gpu.memory_utilization = percentCell(cell)) !== null),
  live("memory.used", (gpu, cell) => (gpu.used_memory = bytesCell(cell, "MiB")) !== null),
  live("memory.free", (gpu, cell) => (gpu.memory_free = bytesCell(cell, "MiB")) !== null),
  live("temperature.gpu", (gpu, cell) => (gpu.temperature = celsiusCell(cell)) !== null),
  live("temperature.memory", (gpu, cell) => (gpu.temperature_memory = celsiusCell(cell)) !== null),
  live("clocks.current.graphics", (gpu, cell) => (gpu.frequency = megahertzCell(cell)) !== null),
  live("clocks.current.memory", (gpu, cell) => (gpu.clock_memory = megahertzCell(cell)) !== null),
  live("clocks.current.sm", (gpu, cell) => (gpu["clock_sm"] = megahertzCell(cell)) !== null),
  live("power.draw", (gpu, cell) => (gpu.power_consumption = wattsCell(cell)) !== null),
  live("fan.speed", (gpu, cell) => (gpu.fan_speed_percent = numberCell(cell)) !== null),
  live(
    "ecc.errors.corrected.aggregate.total",
    (gpu, cell) => (gpu.ecc_corrected_total = integerCell(cell)) !== null,
  ),
  live(
    "ecc.errors.corrected.volatile.total",
    (gpu, cell) => (gpu["ecc_corrected_since_load"] = integerCell(cell)) !== null,
  ),
  // Told only in the place of power.draw, which is a number in every row that is kept.
  live("power.draw.average", () => true),
  live("power.draw.instant", () => true),
  live(
    "clocks_event_reasons.active",
    (gpu, cell) => (gpu.throttle_reasons = throttleReasons(cell)) !== null,
    MASK,
  ),
]);

function live(field: string, take: Take, shape = NUMBER): readonly [string, { shape: RegExp; take: Take }] {
  return [field, { shape, take }];
}

interface Row {
  cells: string[];
  gpu: Gpu;
}

const SEPARATOR = ", ";

export class QueryMemory {
  #header = "";
  #fields: readonly string[] = [];
  #rows: Row[] = [];
  /** The last whole answer, not yet taken apart: a run of one tick never needs it. */
  #last: { readonly text: string; readonly answer: QueryAnswer } | null = null;

  /** The GPUs of an answer that differs from the last one in live readings only; null for any other. */
  read(text: string): readonly Gpu[] | null {
    if (this.#last !== null) this.#takeApart(this.#last.text, this.#last.answer);
    if (this.#rows.length === 0 || !text.startsWith(this.#header)) return null;
    const gpus: Gpu[] = [];
    let at = this.#header.length;
    for (const row of this.#rows) {
      at = this.#readRow(text, at, row);
      if (at < 0) {
        // Some of the row's cells may have been taken already.
        this.#rows = [];
        return null;
      }
      gpus.push(row.gpu);
    }
    if (at === text.length) return gpus;
    this.#rows = [];
    return null;
  }

  /** Keeps a whole answer for the next tick, if it is one whose rows can be told by their cells alone. */
  remember(text: string, answer: QueryAnswer): void {
    this.#last = { text, answer };
  }

  #takeApart(text: string, { gpus, errors }: QueryAnswer): void {
    this.#last = null;
    this.#rows = [];
    const [first = "", ...lines] = text.split("\n");
    const fields = first.split(SEPARATOR).map((name) => canonicalField(name.replace(/ \[.*$/, "")));
    const isPlain =
      errors.length === 0 && lines.pop() === "" && lines.length === gpus.length && gpus.every(isWell);
    if (!isPlain || fields.length < 2 || new Set(fields).size !== fields.length) return;
    const rows = lines.map((line) => line.split(SEPARATOR));
    const power = fields.indexOf("power.draw");
    const isTold = (cells: readonly string[]): boolean =>
      cells.length === fields.length &&
      NUMBER.test(cells[power] ?? "") &&
      cells.every((cell) => cell === cell.trim());
    if (!rows.every(isTold)) return;
    this.#header = `${first}\n`;
    this.#fields = fields;
    this.#rows = rows.flatMap((cells, at) => {
      const gpu = gpus[at];
      // What was built key by key is a hash table to V8, and slow to copy; a clone is not.
      return gpu === undefined ? [] : [{ cells, gpu: structuredClone(gpu) }];
    });
  }

  /** Where the next row begins, or -1. */
  #readRow(text: string, from: number, row: Row): number {
    const { cells } = row;
    const last = cells.length - 1;
    let at = from;
    let draft: Draft | null = null;
    for (let column = 0; column <= last; column++) {
      const before = cells[column] ?? "";
      const end = column === last ? "\n" : SEPARATOR;
      if (text.startsWith(before, at) && text.startsWith(end, at + before.length)) {
        at += before.length + end.length;
        continue;
      }
      const reader = LIVE.get(this.#fields[column] ?? "");
      const until = text.indexOf(end, at);
      if (reader === undefined || until < 0 || !reader.shape.test(before)) return -1;
      const cell = text.slice(at, until);
      // A copy: the last one is in a record that somebody may still hold.
      draft ??= { ...row.gpu };
      if (!reader.shape.test(cell) || !reader.take(draft, cell)) return -1;
      cells[column] = cell;
      at = until + end.length;
    }
    if (draft !== null) row.gpu = draft;
    return at;
  }
}

/** A GPU whose readings do not depend on each other: it draws power, has memory of its own and no failure. */
function isWell(gpu: Gpu): boolean {
  return gpu.error === undefined && gpu.power_consumption !== null && gpu.memory_source === "device";
}
