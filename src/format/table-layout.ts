/** Rows to lines of text: cli-table3 sets the columns, picocolors colours the states. */
import CliTable from "cli-table3";
import pc from "picocolors";
import { HOST_STATES, type HostState } from "../contract/record.js";
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
import { clusters, fitText } from "./text-width.js";

type Paint = (text: string) => string;
export interface Palette {
  readonly title: Paint;
  readonly faint: Paint;
  readonly note: Paint;
  readonly state: Readonly<Record<HostState, Paint>>;
}

export function createPalette(color: boolean): Palette {
  const { bold, dim, green, yellow, red, magenta } = pc.createColors(color);
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
    paint: name === "state" ? palette.state[row.state] : asIs,
  }));
  const place = textColumnAt(columns);
  const free = columns.slice(place);
  if (row.words === undefined || spannedWidth(free) < MIN_TEXT_WIDTH) return cells;
  return [...cells.slice(0, place), { text: row.words, paint: asIs, span: free.length }];
}

// cli-table3 takes time by the square of the rows; with fixed widths the parts of a table can be set one by one.
const ROWS_AT_ONCE = 8;

function setColumns(rows: readonly (readonly Cell[])[], columns: readonly ColumnWidth[]): readonly string[] {
  const placeholders = new Placeholders();
  const table = new CliTable({
    chars: { ...NO_BORDERS, middle: GAP },
    style: { "padding-left": 0, "padding-right": 0, head: [], border: [] },
    colWidths: columns.map((column) => column.width),
    colAligns: columns.map((column) => COLUMN_RULES[column.name].align),
  });
  for (const row of rows) {
    table.push(
      row.map(({ text, paint, span = 1 }, place) => {
        const hidden = placeholders.hide(fitText(text, spannedWidth(columns.slice(place, place + span))));
        const content = hidden === "" ? "" : paint(hidden);
        return span === 1 ? content : { content, colSpan: span, hAlign: "left" as const };
      }),
    );
  }
  const lines = placeholders.reveal(table.toString()).split("\n");
  return lines.map((line) => line.trimEnd());
}

/** `12 hosts: 10 connected, 1 timeout, 1 unsupported`, cut to the width. */
export function countLine(states: readonly HostState[], width: number, palette: Palette): string {
  const total = `${states.length} ${states.length === 1 ? "host" : "hosts"}`;
  const counts = HOST_STATES.flatMap((state) => {
    const count = states.filter((one) => one === state).length;
    return count === 0 ? [] : [{ state, text: `${count} ${state}` }];
  });
  const plain = [total, counts.map(({ text }) => text).join(", ")].filter((part) => part !== "").join(": ");
  if (fitText(plain, width) !== plain) return fitText(plain, width);
  const painted = counts.map(({ state, text }) => palette.state[state](text)).join(", ");
  return painted === "" ? total : `${total}: ${painted}`;
}

const NO_BORDERS = {
  ...{ top: "", "top-mid": "", "top-left": "", "top-right": "" },
  ...{ bottom: "", "bottom-mid": "", "bottom-left": "", "bottom-right": "" },
  ...{ left: "", "left-mid": "", mid: "", "mid-mid": "", right: "", "right-mid": "" },
};

/**
 * cli-table3 measures with an old string-width that is wrong about newer emoji and many combining marks. So it gets to
 * see one private-use character a column instead, and the text is put back afterwards.
 */
class Placeholders {
  private readonly codes = new Map<string, string>();
  private readonly texts = new Map<string, string>();
  // U+E000 fills the second column of a wide character.
  private next = 0xe001;

  hide(text: string): string {
    if (/^[ -~]*$/.test(text)) return text;
    let hidden = "";
    let pending = "";
    for (const { text: cluster, width } of clusters(text)) {
      if (width === 0) pending += cluster;
      else {
        hidden += this.codeOf(pending + cluster, width);
        pending = "";
      }
    }
    return hidden;
  }

  reveal(text: string): string {
    return text.replace(/[\ue000-\uf8ff]/g, (code) => this.texts.get(code) ?? "");
  }

  private codeOf(text: string, width: number): string {
    const key = `${width} ${text}`;
    const known = this.codes.get(key);
    if (known !== undefined) return known;
    // More kinds of characters than there are private-use ones: shown as unknown rather than wrongly.
    if (this.next > 0xf8ff) return "?".repeat(width);
    const code = String.fromCharCode(this.next);
    this.next += 1;
    this.texts.set(code, text);
    const padded = code + "\ue000".repeat(width - 1);
    this.codes.set(key, padded);
    return padded;
  }
}
