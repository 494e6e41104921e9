/** Reads tables drawn with `+-|` or with Unicode lines, which vendor tools print for people. */

export interface BoxTable {
  /** The table's own first line, or the last line of text before it. */
  readonly title: string;
  readonly columns: readonly string[];
  /** By column name. */
  readonly rows: readonly Readonly<Record<string, string>>[];
}

/** The cells of a line that starts and ends with a vertical line; null for any other line. */
export function cellsOf(line: string): readonly string[] | null {
  const bare = line.trim().replaceAll(/[│┃║]/g, "|");
  if (bare.length < 2 || !bare.startsWith("|") || !bare.endsWith("|")) return null;
  return bare
    .slice(1, -1)
    .split("|")
    .map((cell) => cell.trim());
}

/** Whether the line is a horizontal line, without letters and digits. */
function isBorder(line: string): boolean {
  return /^[\s|+\-=\u2500-\u257f]+$/.test(line) && /[-=\u2500-\u257f]{3}/.test(line);
}

// ECMA-48: control sequences (colours) and operating system commands (links), each from its ESC to its end. None can
// contain the start of another, so a line is read once.
const TERMINAL = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[@-Z\\^_])/g;

/** The lines of a text without terminal sequences. */
export function textLines(text: string): readonly string[] {
  return text.split(/[\r\n]+/).map((line) => (line.includes("\u001b") ? line.replace(TERMINAL, "") : line));
}

/**
 * Every table of the text. Text between the rows is skipped, and so is a row with more or fewer cells than its header. A
 * header is the row right below a horizontal line.
 */
export function boxTables(text: string): readonly BoxTable[] {
  const tables: { title: string; columns: readonly string[]; rows: Record<string, string>[] }[] = [];
  let title = "";
  let afterBorder = false;
  let opened = true;
  for (const line of textLines(text)) {
    if (isBorder(line)) {
      // The top border of a table drawn in Unicode.
      if (/^\s*[┏┌╭╔]/.test(line)) opened = true;
      afterBorder = true;
      continue;
    }
    const cells = cellsOf(line);
    if (cells === null) {
      if (line.trim() !== "") title = line.trim();
      continue;
    }
    const current = tables.at(-1);
    if (cells.length === 1 && afterBorder) {
      title = cells[0] ?? "";
      opened = true;
    } else if (current === undefined || opened || (afterBorder && isHeader(cells))) {
      tables.push({ title, columns: cells, rows: [] });
      opened = false;
    } else if (
      cells.length === current.columns.length &&
      cells.some((cell, i) => cell !== current.columns[i])
    ) {
      current.rows.push(Object.fromEntries(current.columns.map((column, i) => [column, cells[i] ?? ""])));
    }
    afterBorder = false;
  }
  return tables;
}

/** Whether the row has no digit: every device's row has one. */
function isHeader(cells: readonly string[]): boolean {
  return (
    cells.every((cell) => !/\d/.test(cell)) &&
    cells.some((cell) => cell !== "" && !/^(?:n\/a|-)$/i.test(cell))
  );
}

/** The rows of all tables, for a text with one kind of table. */
export function boxRows(text: string): readonly Readonly<Record<string, string>>[] {
  return boxTables(text).flatMap((table) => table.rows);
}
