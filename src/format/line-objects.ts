/** What NDJSON prints of a record: the record, or its rows; those that are chosen, with the fields that are chosen. */
import type { Section, StreamRecord } from "../contract/record.js";
import { EVERYTHING, type Selection } from "../contract/selection.js";
import { compactRecord, withoutNulls } from "./compact.js";
import { rowsOf, type Row } from "./rows/device-rows.js";
import { recordFields, rowFields } from "./field-choice.js";
import { envelopeOf, flatRow } from "./flat-row.js";
import type { FormatterOptions } from "./formatter.js";
import { isRecordChosen, isRowChosen } from "./row-choice.js";
import { verdictsOf } from "./row-verdict.js";

/** The objects of a record's lines; none where nothing of it is chosen. */
export type LineObjects = (record: StreamRecord) => readonly object[];

/** Null: each record is printed as it is. `query`: what `--fields` names. */
export function lineObjects({
  query,
  csvSections,
  selection = EVERYTHING,
}: Partial<Pick<FormatterOptions, "query" | "csvSections" | "selection">>): LineObjects | null {
  const fields = query ?? [];
  if (selection.rows === "device") return rowLines(fields, csvSections ?? [], selection);
  const { only, where, isCompact } = selection;
  if (only === null && where.length === 0 && !isCompact && fields.length === 0) return null;
  const cut = fields.length === 0 ? null : recordFields(fields);
  return (record) => {
    if (!isRecordChosen(selection, record)) return [];
    // Fields are chosen by where they are in a whole record.
    const shown = cut === null ? record : cut(record);
    return [isCompact ? compactRecord(record, shown) : shown];
  };
}

function rowLines(
  fields: readonly string[],
  sections: readonly Section[],
  selection: Selection,
): LineObjects {
  const cut = fields.length === 0 ? null : rowFields(fields);
  const lineOf = (row: Row, flat: object): object => {
    const whole = selection.isCompact ? withoutNulls(flat) : flat;
    return cut === null ? whole : cut(whole, row.at?.section ?? null);
  };
  return (record) => {
    const rows = rowsOf(record, sections);
    const envelope = envelopeOf(record);
    const verdicts = verdictsOf(record, rows);
    return rows.flatMap((row, place) =>
      isRowChosen(selection, row) ? [lineOf(row, flatRow(envelope, row, verdicts[place] ?? {}))] : [],
    );
  };
}
