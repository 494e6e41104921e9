/**
 * The query's answer beside the last one of the same host. From tick to tick a few numbers change in rows of forty cells,
 * so that those alone are read, byte by byte. Anything else (a failed GPU, a sentence, a cell of another shape) is left to
 * `readQuery`.
 */
import type { Gpu } from "../../contract/record.js";
import { isAscii } from "../../lib/bytes.js";
import { canonicalField } from "./fields.js";
import type { QueryAnswer } from "./query.js";
import { isPlainNumber, MAX_TEXT, readRows, rowsOf, SEPARATOR, type GpuDraft, type Rows } from "./rows.js";

export class QueryMemory {
  /** What the last answer told; null when it was none to be read beside. */
  #reported: ReportedMemory | null = null;
  /** The last whole answer, not yet taken apart: a run of one tick never needs it. */
  #last: { readonly text: string; readonly answer: QueryAnswer } | null = null;

  /** The GPUs of an answer that differs from the last one in live readings only; null for any other. */
  read(text: string): readonly Gpu[] | null {
    if (this.#last !== null) this.#reported = reportedBy(this.#last.text, this.#last.answer);
    this.#last = null;
    if (this.#reported === null || !text.startsWith(this.#reported.header)) return null;
    const { header, rows, gpus } = this.#reported;
    if (!readRows(rows, gpus, text, header.length)) {
      // Some of the readings may have been taken already.
      this.#reported = null;
      return null;
    }
    return gpus.map((gpu) => ({ ...gpu }));
  }

  /** Keeps a whole answer for the next tick, if it is one whose rows can be told by their cells alone. */
  remember(text: string, answer: QueryAnswer): void {
    this.#last = { text, answer };
  }
}

interface ReportedMemory {
  /** With its end. */
  readonly header: string;
  readonly rows: Rows;
  /** Changed in place from tick to tick; a reading gets copies. */
  readonly gpus: readonly GpuDraft[];
}

function reportedBy(text: string, { gpus, errors }: QueryAnswer): ReportedMemory | null {
  const [first = "", ...lines] = text.split("\n");
  const fields = first.split(SEPARATOR).map((name) => canonicalField(name.replace(/ \[.*$/, "")));
  const isPlain =
    errors.length === 0 && lines.pop() === "" && lines.length === gpus.length && gpus.every(isWell);
  if (!isPlain || fields.length < 2 || new Set(fields).size !== fields.length || !isAscii(first)) return null;
  const rows = lines.map((line) => line.split(SEPARATOR));
  const power = fields.indexOf("power.draw");
  const isReported = (cells: readonly string[]): boolean => {
    const isWhole = cells.length === fields.length && cells.every((each) => each === each.trim());
    return isWhole && isPlainNumber(cells[power] ?? "");
  };
  if (!rows.every(isReported) || Buffer.byteLength(text) > MAX_TEXT) return null;
  return { header: `${first}\n`, rows: rowsOf(fields, rows), gpus: gpus.map(lean) };
}

/**
 * A copy with the texts that a fleet's GPUs have in common. What was built key by key is a hash table to V8, and slow to
 * copy; a clone is not.
 */
function lean(gpu: Gpu): GpuDraft {
  const copy: GpuDraft = structuredClone(gpu);
  for (const [key, value] of Object.entries(copy))
    if (typeof value === "string") Object.assign(copy, { [key]: oneCopy(value) });
  copy.detail = Object.fromEntries(Object.entries(copy.detail).map(([key, value]) => [key, oneCopy(value)]));
  return copy;
}

/** The same text, of which V8 has one copy alone, as of all names of properties: a thousand hosts say the same of theirs. */
function oneCopy(text: string): string {
  const names = Object.create(null) as Record<string, true>;
  names[text] = true;
  const [name] = Object.keys(names);
  return name ?? text;
}

/** A GPU whose readings do not depend on each other: it draws power, has memory of its own and no failure. */
function isWell(gpu: Gpu): boolean {
  return gpu.error === undefined && gpu.power_consumption !== null && gpu.memory_source === "device";
}
