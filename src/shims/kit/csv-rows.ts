/**
 * nvidia-smi's CSV: separator `, `, no quoting, a header with units (`memory.used [MiB]`), and between the rows
 * sentences about devices that failed. A comma in a name looks like a separator. So columns are counted from both ends,
 * and the cells that are left over belong to the one column that may hold commas.
 */

type CsvLine =
  | { readonly kind: "row"; readonly cells: ReadonlyMap<string, string> }
  /** Any other line: an error message, a warning, a row that was cut. */
  | { readonly kind: "text"; readonly text: string };

export interface CsvTable {
  /** Column names without units; the given ones where no header line was printed. */
  readonly columns: readonly string[];
  readonly lines: readonly CsvLine[];
}

/**
 * Reads a table. Its header names the columns, or else `columns` does. `wide` is the column that may hold commas. A
 * header may come again (loop mode, joined outputs); it is no row.
 */
export function readCsv(text: string, columns: readonly string[], wide: string): CsvTable {
  let current = columns;
  const lines: CsvLine[] = [];
  for (const line of text.split(/[\r\n]+/)) {
    if (line.trim() === "") continue;
    const header = headerOf(line);
    if (header !== null) {
      current = header;
      continue;
    }
    const cells = cellsOf(line, current, wide);
    lines.push(cells === null ? { kind: "text", text: line.trim() } : { kind: "row", cells });
  }
  return { columns: current, lines };
}

const COLUMN_NAME = /^[a-z][\w.]*(?: \[[^\]]{1,8}\])?$/i;
// Every query of ours, and every recording, names one of these; no value looks like one.
const SURE_NAMES = new Set(["index", "uuid", "name", "pid", "gpu_uuid", "gpu_name", "process_name"]);

let latestHeader: { readonly line: string; readonly names: readonly string[] } | null = null;

/** The names of the columns; null: no header. A fleet answers with the same header, so the latest one is kept. */
function headerOf(line: string): readonly string[] | null {
  if (!/^[a-z]/i.test(line)) return null;
  if (latestHeader?.line === line) return latestHeader.names;
  const names = namesIn(line);
  if (names !== null) latestHeader = { line, names };
  return names;
}

function namesIn(line: string): readonly string[] | null {
  const cells = line.split(",").map((cell) => cell.trim());
  if (cells.length < 2 || !cells.every((cell) => COLUMN_NAME.test(cell))) return null;
  const names = cells.map((cell) => cell.replace(/ \[.*$/, ""));
  return names.some((name) => SURE_NAMES.has(name)) ? names : null;
}

/** A note in place of a value may hold a comma: `Deprecated, see "KMD version"` (driver 610). */
function withoutNotes(line: string): string {
  return line.includes("Deprecated, see")
    ? line.replace(/\[?Deprecated, see "[^"]{1,40}"\]?/g, "[N/A]")
    : line;
}

function cellsOf(line: string, columns: readonly string[], wide: string): Map<string, string> | null {
  const cells = withoutNotes(line).split(",");
  const surplus = cells.length - columns.length;
  if (columns.length < 2 || surplus < 0) return null;
  const wideAt = columns.indexOf(wide);
  if (surplus > 0 && wideAt < 0) return null;
  const joined =
    surplus === 0
      ? cells
      : [
          ...cells.slice(0, wideAt),
          cells.slice(wideAt, wideAt + surplus + 1).join(","),
          ...cells.slice(wideAt + surplus + 1),
        ];
  const named = new Map<string, string>();
  for (let at = 0; at < columns.length; at++) named.set(columns[at] ?? "", (joined[at] ?? "").trim());
  return named;
}
