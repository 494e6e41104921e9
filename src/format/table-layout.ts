/** Rows to lines of text: cli-table3 sets the columns, picocolors colours the states. */
import CliTable from "cli-table3";
import pc from "picocolors";
import type { HealthStatus } from "../contract/health.js";
import type { HostState } from "../contract/record.js";
import type { OutcomeKind } from "../outcome/host-outcome.js";
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
} from "./table-columns.js";
import type { ColumnName, TableRow } from "./table-rows.js";
import { fitText, PLAIN, textWidth } from "./text-width.js";

type Paint = (text: string) => string;
export interface Palette {
  readonly title: Paint;
  readonly faint: Paint;
  readonly note: Paint;
  readonly state: Readonly<Record<HostState, Paint>>;
  readonly health: Readonly<Record<HealthStatus, Paint>>;
  readonly outcome: Readonly<Record<OutcomeKind, Paint>>;
}

export function createPalette(color: boolean): Palette {
  const { bold, dim, green, yellow, red, magenta } = pc.createColors(color);
  const health = { ok: green, unknown: magenta, warning: yellow, critical: red };
  return {
    title: bold,
    faint: dim,
    note: yellow,
    state: {
      connecting: dim,
      connected: green,
      "auth-failed": red,
      "host-key-rejected": red,
      timeout: yellow,
      unreachable: red,
      disconnected: yellow,
      unsupported: magenta,
    },
    health,
    outcome: { ...health, errors: yellow, pending: dim, unreachable: red },
  };
}

export interface LaidOut {
  readonly title: string;
  readonly lines: readonly string[];
  /** To be handed back as `before` next time, so that columns keep their widths. */
  readonly widths: ReadonlyMap<ColumnName, number>;
}

/** No line is wider than `width`, without line ends. */
export function layOut(
  rows: readonly TableRow[],
  width: number,
  palette: Palette,
  before: ReadonlyMap<ColumnName, number> = new Map(),
): LaidOut {
  const widths = naturalWidths(rows, before);
  const fitted = fitColumns(widths, width);
  if (fitted.length === 0) return { title: "", lines: [], widths };
  const columns = widenForText(fitted, rows, width);
  const cells: (readonly Cell[])[] = [
    columns.map(({ name }) => ({
      text: widths.has(name) ? COLUMN_RULES[name].title : "",
      paint: palette.title,
    })),
    ...rows.map((row) => rowCells(row, columns, palette)),
  ];
  const lines: string[] = [];
  for (let start = 0; start < cells.length; start += ROWS_AT_ONCE) {
    lines.push(...setColumns(cells.slice(start, start + ROWS_AT_ONCE), columns));
  }
  const [title = "", ...rest] = lines;
  return { title, lines: rest, widths };
}

interface Cell {
  readonly text: string;
  readonly paint: Paint;
  /** How many columns it stands in; 1 when absent. */
  readonly span?: number;
}
const asIs: Paint = (text) => text;

function rowCells(row: TableRow, columns: readonly ColumnWidth[], palette: Palette): readonly Cell[] {
  const cells = columns.map(({ name }) => ({
    text: row.cells[name] ?? "",
    paint: paintOf(name, row, palette),
  }));
  const place = textColumnAt(columns);
  const free = columns.slice(place);
  if (row.message === undefined || spannedWidth(free) < MIN_TEXT_WIDTH) return cells;
  return [...cells.slice(0, place), { text: row.message, paint: asIs, span: free.length }];
}

function paintOf(name: ColumnName, { state, health }: TableRow, palette: Palette): Paint {
  if (name === "state") return palette.state[state];
  return name === "health" && health !== undefined ? palette.health[health] : asIs;
}

// cli-table3's time grows with the square of the rows. With fixed widths the parts of a table can be laid out one by one.
const ROWS_AT_ONCE = 8;

/**
 * cli-table3 places the cells. Its string-width is old and wrong about newer emoji and many combining marks, so a cell that
 * is not plain ASCII gets one private-use character, repeated to the width of the text. The text replaces it afterwards.
 */
function setColumns(rows: readonly (readonly Cell[])[], columns: readonly ColumnWidth[]): readonly string[] {
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
      row.map(({ text, paint, span = 1 }, place) => {
        const fitted = fitText(text, spannedWidth(columns.slice(place, place + span)));
        const shown = fitted === "" ? "" : paint(fitted);
        const content = PLAIN.test(fitted) ? shown : standIn(painted.push(shown) - 1, textWidth(fitted));
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
