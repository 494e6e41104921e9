/**
 * CSV after RFC 4180 with `\n` line ends: one row a device, one for a host without a frame. The columns are fixed by
 * the sections and labels (or `--fields`), so that the header is printed once and first.
 */
import { valueAt } from "../contract/dot-path.js";
import { fieldPath } from "../contract/field-path.js";
import { csvColumns } from "../contract/fields.js";
import { KEY_OF_SECTION, SECTIONS, type Section, type StreamRecord } from "../contract/record.js";
import { rowName } from "../contract/row-fields.js";
import { cleanText } from "../lib/text.js";
import { rowsOf, type Row } from "./rows/device-rows.js";
import type { Formatter, FormatterOptions } from "./formatter.js";
import { isRowChosen } from "./row-choice.js";
import { writeSound } from "./unwritable.js";

interface Column {
  readonly title: string;
  value(row: Row): unknown;
}

export function createCsvFormatter(
  options: Pick<FormatterOptions, "csvSections" | "query" | "selection" | "labelNames" | "unwritable">,
): Formatter {
  const { csvSections, query, selection, labelNames = [], unwritable } = options;
  const columns = query.length > 0 ? query.map(fieldColumn) : defaultColumns(csvSections, labelNames);
  const isPrinted = (record: StreamRecord): boolean =>
    selection?.only === "state" || !isQuietTransition(record);
  const line = (cells: readonly string[]): string => `${cells.join(",")}\n`;
  const lines = (records: readonly StreamRecord[]): string =>
    records
      .filter(isPrinted)
      .flatMap((record) => rowsOf(record, csvSections))
      .filter((row) => selection === undefined || isRowChosen(selection, row))
      .map((row) => line(columns.map((column) => csvCell(column.value(row)))))
      .join("");
  return {
    header: () => line(columns.map((column) => csvCell(column.title))),
    format: (records) => writeSound(records, lines, unwritable),
  };
}

/** A first connection begins, or the host is connected: nothing failed, and nothing was read. */
function isQuietTransition(record: StreamRecord): boolean {
  return record.record === "state" && record.tick === null && record.last_error === null;
}

const LEADING: readonly Column[] = (
  ["timestamp", "tick", "host_id", "hostname", "state", "transport"] as const
).map((key) => ({ title: key, value: ({ record }: Row) => record[key] }));
const OF_DEVICE: readonly Column[] = [
  { title: "section", value: ({ at }) => at?.section },
  { title: "index", value: ({ at }) => at?.index },
];
const ERROR_COLUMN: Column = { title: "error", value: ({ error }) => error };
const OWN: readonly Column[] = [...LEADING, ...OF_DEVICE, ERROR_COLUMN];

/** No two have the same title: a device's field that is called as one of the row's has its section in front. */
function defaultColumns(sections: readonly Section[], labelNames: readonly string[]): readonly Column[] {
  const labels = labelNames.map((name) => ({
    title: `labels.${name}`,
    value: ({ record }: Row) => valueAt(record.labels, [name]),
  }));
  const names = new Set(
    sections.flatMap((section) => csvColumns(section).map((name) => rowName(section, name) ?? name)),
  );
  const device = [...names].map((name) => ({ title: name, value: defaultValue(name) }));
  return [...LEADING, ...labels, ...OF_DEVICE, ...device, ERROR_COLUMN];
}

/**
 * A path is looked up in the row's own columns (section, index, error), then in the device, then in the record;
 * `gpu.name` or `gpus.name` is the device's only in rows of that section; `gpus.0.name` is in every row.
 */
function fieldColumn(path: string): Column {
  const own = OWN.find((column) => column.title === path);
  if (own !== undefined) return own;
  const { section, keys } = fieldPath(path) ?? { section: null, keys: [path] };
  const ofDevice = deviceField(keys);
  if (section === null) return { title: path, value: (row) => ofDevice(row) ?? valueAt(row.record, keys) };
  if (/^\d+$/.test(keys[0] ?? ""))
    return { title: path, value: ({ record }) => valueAt(record, [KEY_OF_SECTION[section], ...keys]) };
  return {
    title: path,
    value: ({ at }) => (at?.section === section ? valueAt(at.device, keys) : undefined),
  };
}

/** As `deviceField`, which is slow for every cell of the default layout. */
function defaultValue(name: string): Column["value"] {
  const isOwn = SECTIONS.every((section) => deviceName(section, name) === name);
  return isOwn ? ({ at }) => at?.device?.[name] : deviceField([name]);
}

/** Looks a name of a row up in its device, by what the device itself calls it. */
function deviceField([name = "", ...rest]: readonly string[]): (row: Row) => unknown {
  const keys = new Map(SECTIONS.map((section) => [section, deviceName(section, name)]));
  return ({ at }) => {
    const own = at === null ? undefined : keys.get(at.section);
    return own === undefined ? undefined : valueAt(at?.device, [own, ...rest]);
  };
}

function deviceName(section: Section, name: string): string | undefined {
  const bare = name.slice(section.length + 1);
  if (name.startsWith(`${section}_`) && rowName(section, bare) === name) return bare;
  const inRow = rowName(section, name);
  return inRow === null || inRow === name ? name : undefined;
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
