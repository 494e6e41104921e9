/**
 * The quick form of readQuery (../query.ts), for the ticks of one host. From tick to tick a few numbers change in rows of
 * forty cells. So an answer is compared with the last one, and only the live cells are read. Any other answer (a failed
 * GPU, a sentence, a cell of another shape) goes to the plain function.
 */
import type { Gpu } from "../../../contract/record.js";
import { isAscii } from "../../../lib/bytes.js";
import { sharedText, sharedValue } from "../../../lib/shared-values.js";
import { canonicalField } from "../fields.js";
import type { QueryAnswer, ReadQuery } from "../query.js";
import {
  isPlainNumber,
  liveRows,
  MAX_ROWS_BYTES,
  readRows,
  SEPARATOR,
  type GpuDraft,
  type LiveRows,
} from "./live-rows.js";

/** A reader for one host. It returns what `plain` would return, deeply equal, and calls it where it cannot. */
export function quickQueryReader(plain: ReadQuery): ReadQuery {
  /** The last whole answer, not yet split into cells: a run of one tick never needs that. */
  let last: { readonly text: string; readonly answer: QueryAnswer } | null = null;
  /** What the next answer is compared with; null when the last one is not fit for that. */
  let reference: Reference | null = null;

  return (text, columns) => {
    if (last !== null) reference = referenceOf(last.text, last.answer);
    last = null;
    if (reference !== null && text.startsWith(reference.header)) {
      const { header, rows, gpus, columns: named } = reference;
      if (readRows(rows, gpus, text, header.length))
        return { gpus: gpus.map((gpu) => ({ ...gpu })), errors: [], columns: named, exitCode: null };
    }
    // A failed comparison may have overwritten some readings already.
    reference = null;
    const answer = plain(text, columns);
    if (answer.gpus.length > 0) last = { text, answer };
    return answer;
  };
}

interface Reference {
  /** With its newline. */
  readonly header: string;
  readonly columns: readonly string[];
  readonly rows: LiveRows;
  /** Changed in place from tick to tick; the caller gets copies. */
  readonly gpus: readonly GpuDraft[];
}

/** Null for an answer whose GPUs do not follow from one row each, cell by cell. */
function referenceOf(text: string, { gpus, errors, columns, exitCode }: QueryAnswer): Reference | null {
  const [first = "", ...lines] = text.split("\n");
  const fields = first.split(SEPARATOR).map((name) => canonicalField(name.replace(/ \[.*$/, "")));
  const isPlain = errors.length === 0 && exitCode === null && lines.pop() === "";
  if (!isPlain || lines.length !== gpus.length || !gpus.every(isWell)) return null;
  if (fields.length < 2 || new Set(fields).size !== fields.length || !isAscii(first)) return null;
  const rows = lines.map((line) => line.split(SEPARATOR));
  const power = fields.indexOf("power.draw");
  const isWhole = (cells: readonly string[]): boolean =>
    cells.length === fields.length &&
    cells.every((cell) => cell === cell.trim()) &&
    isPlainNumber(cells[power] ?? "");
  if (!rows.every(isWhole) || Buffer.byteLength(text) > MAX_ROWS_BYTES) return null;
  return {
    header: sharedText(`${first}\n`),
    columns: sharedValue(columns),
    rows: liveRows(fields, rows),
    gpus: gpus.map(lean),
  };
}

/**
 * A GPU whose readings do not depend on each other: it draws power, has memory of its own and no failure. A temperature
 * of 0 may be that of a chip that was not read, which the other cells decide.
 */
function isWell(gpu: Gpu): boolean {
  return (
    gpu.error === undefined &&
    gpu.power_consumption !== null &&
    gpu.memory_source === "device" &&
    gpu.temperature !== 0
  );
}

/**
 * A copy that shares its texts with the GPUs of a fleet's other hosts. An object that was built key by key is a hash
 * table to V8, and slow to copy; a clone is not.
 */
function lean(gpu: Gpu): GpuDraft {
  const copy: GpuDraft = structuredClone(gpu);
  for (const [key, value] of Object.entries(copy))
    if (typeof value === "string") Object.assign(copy, { [key]: sharedText(value) });
  copy.detail = sharedValue(copy.detail);
  return copy;
}
