/** Rows to lines of text: cli-table3 sets the columns. */
import CliTable from "cli-table3";
import type { Cell } from "./cells.js";
import type { ColumnName } from "./column-names.js";
import {
  COLUMN_RULES,
  fitColumns,
  GAP,
  MIN_TEXT_WIDTH,
  naturalWidths,
  textColumnAt,
  spannedWidth,
  widenForText,
  type ColumnWidth,
  type NaturalWidths,
} from "./columns.js";
import { asIs, type Look, type Paint } from "./look.js";
import type { TableRow } from "./row.js";
import { fitText, PLAIN, textWidth } from "./text-width.js";

export interface LaidOut {
  readonly title: string;
  readonly lines: readonly string[];
  /** To be handed back next time. */
  readonly memory: LayoutMemory;
}

/** Columns keep their widths, and a row that is as it was keeps its line: most are, ten times a second. */
export interface LayoutMemory {
  readonly widths: NaturalWidths;
  readonly columns: string;
  readonly lines: ReadonlyMap<string, string>;
}
const NO_MEMORY: LayoutMemory = { widths: new Map(), columns: "", lines: new Map() };

export interface LayoutOptions {
  readonly before?: LayoutMemory;
  /** Whether notes stand below the table too. */
  readonly hasDetails?: boolean;
}

/** No line is wider than `width`, without line ends. */
export function layOut(
  rows: readonly TableRow[],
  width: number,
  look: Look,
  { before = NO_MEMORY, hasDetails = false }: LayoutOptions = {},
): LaidOut {
  const widths = naturalWidths(rows, before.widths);
  const fitted = fitColumns(widths, width, hasDetails);
  if (fitted.length === 0) return { title: "", lines: [], memory: { ...NO_MEMORY, widths } };
  const columns = widenForText(fitted, rows, width);
  const isShort = new Set(
    columns.flatMap(({ name, width: given }) => (given < (widths.get(name)?.full ?? 0) ? [name] : [])),
  );
  const titles = columns.map(({ name }) => ({
    text: widths.has(name) ? titleOf(name, look) : "",
    paint: look.title,
  }));
  const cells = [titles, ...rows.map((row) => rowCells(row, columns, isShort, look))].map((row) =>
    shownCells(row, columns),
  );
  const key = columns.map((column) => `${column.name} ${column.width}`).join();
  const known = key === before.columns ? before.lines : NO_MEMORY.lines;
  const lines = linesOf(cells, columns, known);
  const [title, ...rest] = lines;
  return {
    title: title?.line ?? "",
    lines: rest.map(({ line }) => line),
    memory: { widths, columns: key, lines: new Map(lines.map(({ id, line }) => [id, line])) },
  };
}

interface PlacedLine {
  /** What the line is made of. */
  readonly id: string;
  readonly line: string;
}

function linesOf(
  rows: readonly (readonly ShownCell[])[],
  columns: readonly ColumnWidth[],
  known: ReadonlyMap<string, string>,
): readonly PlacedLine[] {
  const ids = rows.map((row) => row.map(({ shown, span }) => `${span} ${shown}`).join("\u0000"));
  const fresh = rows.filter((_, at) => !known.has(ids[at] ?? ""));
  const made: string[] = [];
  for (let start = 0; start < fresh.length; start += ROWS_AT_ONCE) {
    made.push(...setColumns(fresh.slice(start, start + ROWS_AT_ONCE), columns));
  }
  let next = 0;
  return ids.map((id) => ({ id, line: known.get(id) ?? made[next++] ?? "" }));
}

interface PlacedCell {
  readonly text: string;
  readonly paint: Paint;
  /** How many columns it stands in; 1 when absent. */
  readonly span?: number;
}

interface ShownCell {
  /** What fits of it. */
  readonly text: string;
  /** The same, painted. */
  readonly shown: string;
  readonly span: number;
}

function shownCells(row: readonly PlacedCell[], columns: readonly ColumnWidth[]): readonly ShownCell[] {
  return row.map(({ text, paint, span = 1 }, place) => {
    const width =
      span === 1 ? (columns[place]?.width ?? 0) : spannedWidth(columns.slice(place, place + span));
    const fitted = fitText(text, width);
    return { text: fitted, shown: fitted === "" ? "" : paint(fitted), span };
  });
}

function titleOf(name: ColumnName, { symbols }: Look): string {
  return COLUMN_RULES[name].title.replace("°C", symbols.degrees);
}

function rowCells(
  row: TableRow,
  columns: readonly ColumnWidth[],
  isShort: ReadonlySet<ColumnName>,
  look: Look,
): readonly PlacedCell[] {
  const cells = columns.map(({ name }): PlacedCell => {
    const cell: Cell = row.cells[name] ?? { text: "" };
    const text = isShort.has(name) ? (cell.short ?? cell.text) : cell.text;
    return { text, paint: paintOf(name, row, cell, look) };
  });
  const place = textColumnAt(columns);
  const free = columns.slice(place);
  if (row.message === undefined || spannedWidth(free) < MIN_TEXT_WIDTH) return cells;
  return [...cells.slice(0, place), { text: row.message, paint: asIs, span: free.length }];
}

const OF_LAST_RECORD: ReadonlySet<ColumnName> = new Set(["host", "state", "health", "note"]);

function paintOf(name: ColumnName, { state, health, isLate }: TableRow, cell: Cell, look: Look): Paint {
  // A reading of an earlier tick has no colour of its own: it may be wrong by now.
  if (isLate === true && !OF_LAST_RECORD.has(name)) return look.faint;
  if (name === "state" && state !== null)
    return isLate === true && state === "connected" ? look.faint : look.state[state];
  if (name === "health" && health !== undefined) return look.health[health];
  return cell.paint ?? asIs;
}

// cli-table3's time grows with the square of the rows. With fixed widths the parts of a table can be laid out one by one.
const ROWS_AT_ONCE = 8;

/**
 * cli-table3 places the cells. Its string-width is old and wrong about newer emoji and many combining marks, so a cell that
 * is not plain ASCII gets one private-use character, repeated to the width of the text. The text replaces it afterwards.
 */
function setColumns(
  rows: readonly (readonly ShownCell[])[],
  columns: readonly ColumnWidth[],
): readonly string[] {
  const table = new CliTable({
    chars: { ...NO_BORDERS, middle: GAP },
    style: { "padding-left": 0, "padding-right": 0, head: [], border: [] },
    colWidths: columns.map((column) => column.width),
    colAligns: columns.map((column) => COLUMN_RULES[column.name].align),
  });
  // A few rows of a dozen columns: far fewer cells than the 6400 private-use characters.
  const painted: string[] = [];
  for (const row of rows) {
    table.push(
      row.map(({ text, shown, span }) => {
        const content = PLAIN.test(text) ? shown : standIn(painted.push(shown) - 1, textWidth(text));
        return span === 1 ? content : { content, colSpan: span, hAlign: "left" as const };
      }),
    );
  }
  const shown = table
    .toString()
    .replace(/([\ue000-\uf8ff])\1*/g, (cell) => painted[cell.charCodeAt(0) - PRIVATE_USE] ?? "");
  return shown.split("\n").map((line) => line.trimEnd());
}
const PRIVATE_USE = 0xe000;

function standIn(index: number, width: number): string {
  return String.fromCharCode(PRIVATE_USE + index).repeat(width);
}

const NO_BORDERS = {
  ...{ top: "", "top-mid": "", "top-left": "", "top-right": "" },
  ...{ bottom: "", "bottom-mid": "", "bottom-left": "", "bottom-right": "" },
  ...{ left: "", "left-mid": "", mid: "", "mid-mid": "", right: "", "right-mid": "" },
};
