/**
 * CSV after RFC 4180 with `\n` line ends: one row a device, one for a host without a frame. The columns are fixed by
 * the sections (or `--query`), so that the header is printed once and first.
 */
import { valueAt } from "../contract/dot-path.js";
import { csvColumns } from "../contract/fields.js";
import { sectionNamed, type Section, type StreamRecord } from "../contract/record.js";
import { cleanText } from "../lib/text.js";
import { deviceRows, sectionErrorText, stateText, type DeviceRow } from "./device-rows.js";
import type { Formatter, FormatterOptions } from "./formatter.js";
import { writeSound } from "./unwritable.js";

/** One row before it is text: a device, an error without one, or a record that has neither. */
interface Row {
  readonly record: StreamRecord;
  readonly at: DeviceRow | null;
  readonly error: string;
}
interface Column {
  readonly title: string;
  value(row: Row): unknown;
}

export function createCsvFormatter(
  options: Pick<FormatterOptions, "csvSections" | "query" | "unwritable">,
): Formatter {
  const { csvSections, query, unwritable } = options;
  const columns = query.length > 0 ? query.map(queryColumn) : defaultColumns(csvSections);
  const line = (cells: readonly string[]): string => `${cells.join(",")}\n`;
  const lines = (records: readonly StreamRecord[]): string =>
    records
      .flatMap((record) => rowsOf(record, csvSections))
      .map((row) => line(columns.map((column) => csvCell(column.value(row)))))
      .join("");
  return {
    header: () => line(columns.map((column) => csvCell(column.title))),
    format: (records) => writeSound(records, lines, unwritable),
  };
}

function rowsOf(record: StreamRecord, sections: readonly Section[]): readonly Row[] {
  if (record.record === "state") return [{ record, at: null, error: stateText(record) }];
  const rows = deviceRows(record, sections).map((at) => ({
    record,
    at,
    error: [...(at.failure === null ? [] : [at.failure]), ...at.errors.map(sectionErrorText)].join("; "),
  }));
  return rows.length > 0 ? rows : [{ record, at: null, error: "" }];
}

const LEADING: readonly Column[] = [
  ...(["timestamp", "tick", "host_id", "hostname", "state", "transport"] as const).map((key) => ({
    title: key,
    value: ({ record }: Row) => record[key],
  })),
  { title: "section", value: ({ at }) => at?.section },
  { title: "index", value: ({ at }) => at?.index },
];
const ERROR_COLUMN: Column = { title: "error", value: ({ error }) => error };

function defaultColumns(sections: readonly Section[]): readonly Column[] {
  const names = new Set(sections.flatMap(csvColumns));
  const device = [...names].map((name) => ({ title: name, value: ({ at }: Row) => at?.device?.[name] }));
  return [...LEADING, ...device, ERROR_COLUMN];
}

/**
 * A path is looked up in the row's own columns (section, index, error), then in the device, then in the record;
 * `gpu.name` or `gpus.name` is the device's only in rows of that section.
 */
function queryColumn(path: string): Column {
  const own = [...LEADING, ERROR_COLUMN].find((column) => column.title === path);
  if (own !== undefined) return own;
  const keys = path.split(".");
  const [first = "", ...rest] = keys;
  const section = sectionNamed(first);
  return {
    title: path,
    value({ record, at }) {
      if (section !== null && rest.length > 0 && at?.section === section) {
        const value = valueAt(at.device, rest);
        if (value !== undefined) return value;
      }
      return valueAt(at?.device, keys) ?? valueAt(record, keys);
    },
  };
}

// What spreadsheets take for a formula when a cell starts with it (OWASP, CSV Injection), blanks before it ignored;
// the full-width forms are taken too.
const FORMULA = /^\s*[=+\-@\t\r＝＋－＠]/;
const NEEDS_QUOTES = /[",;\n\r]|^\s|\s$/;

/** One cell. Text that would run as a formula gets an apostrophe in front. Numbers stay as they are. */
export function csvCell(value: unknown): string {
  const text = cellText(value);
  return NEEDS_QUOTES.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function cellText(value: unknown): string {
  if (typeof value === "string") return harmless(value);
  if (typeof value === "number") return Number.isFinite(value) ? String(value) : "";
  if (typeof value === "boolean") return String(value);
  if (typeof value !== "object" || value === null) return "";
  const isPlainList =
    Array.isArray(value) && value.every((part) => part === null || typeof part !== "object");
  return harmless(isPlainList ? value.join(";") : JSON.stringify(value));
}

function harmless(text: string): string {
  const formula = FORMULA.test(text);
  const clean = cleanText(text);
  return formula ? `'${clean}` : clean;
}
