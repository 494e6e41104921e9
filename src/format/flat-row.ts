/** A row as one flat object, for NDJSON: the envelope, then `section`, `index` and `error`, then the device's fields. */
import { KEY_OF_SECTION, type StreamRecord } from "../contract/record.js";
import { rowName } from "../contract/row-fields.js";
import { setOwn } from "../lib/host-json.js";
import type { Row } from "./rows/device-rows.js";
import type { RowVerdict } from "./row-verdict.js";

/** Fields by name, in the order of contract/row-fields.ts. */
export type FlatRow = Record<string, unknown>;

const SECTION_KEYS: ReadonlySet<string> = new Set(Object.values(KEY_OF_SECTION));
/** Their part of the row comes from elsewhere. Other lists are sections of a newer all-smi. */
const PER_ROW: ReadonlySet<string> = new Set(["errors", "held", "health"]);

/** What all rows of a record have of it. */
export function envelopeOf(record: StreamRecord): FlatRow {
  const envelope: FlatRow = {};
  for (const [key, value] of Object.entries(record))
    if (!SECTION_KEYS.has(key) && !PER_ROW.has(key) && !Array.isArray(value)) put(envelope, key, value);
  // Nothing takes a device's row for the whole frame.
  if (record.record === "frame") envelope["record"] = "device";
  return envelope;
}

/** `verdict`: the row's part of `held` and `health`. */
export function flatRow(envelope: FlatRow, { at, error }: Row, verdict: RowVerdict): FlatRow {
  // No spread: an object that begins as one is slow to fill.
  const row: FlatRow = {};
  for (const key of Object.keys(envelope)) put(row, key, envelope[key]);
  row["section"] = at?.section ?? null;
  row["index"] = at?.index ?? null;
  row["error"] = error === "" ? null : error;
  Object.assign(row, verdict);
  if (at === null || at.device === null) return row;
  for (const key of Object.keys(at.device)) {
    const name = rowName(at.section, key);
    if (name !== null && !Object.hasOwn(row, name)) put(row, name, at.device[key]);
  }
  return row;
}

/** `setOwn` makes an object slow; only one name needs it. */
function put(row: FlatRow, name: string, value: unknown): void {
  if (name === "__proto__") setOwn(row, name, value);
  else row[name] = value;
}
