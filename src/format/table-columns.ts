/** Which columns a table shows, and how wide: the notes shrink first, then columns go, least needed first. */
import { COLUMN_NAMES, type ColumnName, type TableRow } from "./table-rows.js";
import { textWidth } from "./text-width.js";

export interface ColumnWidth {
  readonly name: ColumnName;
  readonly width: number;
}

interface ColumnRule {
  readonly title: string;
  readonly align: "left" | "right";
  /** Text columns may be cut down to this width; numbers never are. */
  readonly minWidth?: number;
  readonly maxWidth?: number;
}

export const COLUMN_RULES: Readonly<Record<ColumnName, ColumnRule>> = {
  host: { title: "Host", align: "left", minWidth: 12, maxWidth: 48 },
  state: { title: "State", align: "left" },
  health: { title: "Health", align: "left" },
  index: { title: "#", align: "right" },
  device: { title: "Device", align: "left", minWidth: 10, maxWidth: 40 },
  utilization: { title: "Util %", align: "right" },
  memory: { title: "Memory GiB", align: "right" },
  temperature: { title: "°C", align: "right" },
  power: { title: "Power W", align: "right" },
  holders: { title: "Held by", align: "left", minWidth: 10, maxWidth: 40 },
  idle: { title: "Idle", align: "right" },
  cpu: { title: "CPU %", align: "right" },
  ram: { title: "RAM GiB", align: "right" },
  note: { title: "Note", align: "left", minWidth: 16, maxWidth: 120 },
};
export const GAP = "  ";
/** A text is not shown in less than this. */
export const MIN_TEXT_WIDTH = 16;

const SHRINK_ORDER: readonly ColumnName[] = ["note", "holders", "device", "host"];
const DROP_ORDER: readonly ColumnName[] = [
  ...(["ram", "cpu", "power", "device", "temperature", "memory", "note", "idle", "holders"] as const),
  ...(["index", "utilization"] as const),
  ...(["state", "health"] as const),
];

/** Natural widths of the columns that any row has something in, at least those of `before` (so that nothing jitters). */
export function naturalWidths(
  rows: readonly TableRow[],
  before: ReadonlyMap<ColumnName, number>,
): Map<ColumnName, number> {
  const widths = new Map(before);
  for (const { cells } of rows) {
    for (const name of COLUMN_NAMES) {
      const text = cells[name];
      if (text === undefined || (name === "note" && text === "")) continue;
      const rule = COLUMN_RULES[name];
      const known = widths.get(name) ?? textWidth(rule.title);
      widths.set(name, Math.max(known, Math.min(textWidth(text), rule.maxWidth ?? Infinity)));
    }
  }
  return widths;
}

/** Columns in order, with widths whose sum with the gaps is at most `width`. Not empty unless `natural` is. */
export function fitColumns(natural: ReadonlyMap<ColumnName, number>, width: number): readonly ColumnWidth[] {
  const widths = new Map(natural);
  const excess = (): number => {
    const sum = [...widths.values()].reduce((total, w) => total + w, 0);
    return sum + GAP.length * Math.max(0, widths.size - 1) - width;
  };
  const shrink = (): void => {
    for (const name of SHRINK_ORDER) {
      const full = natural.get(name);
      if (full === undefined || !widths.has(name)) continue;
      widths.set(name, full);
      const minWidth = Math.min(full, COLUMN_RULES[name].minWidth ?? full);
      widths.set(name, Math.max(minWidth, full - Math.max(0, excess())));
    }
  };
  shrink();
  for (const name of DROP_ORDER) {
    if (excess() <= 0 || widths.size <= 1) break;
    if (widths.delete(name)) shrink();
  }
  const last = [...widths.keys()].at(-1);
  if (last !== undefined && excess() > 0) widths.set(last, Math.max(1, width));
  return COLUMN_NAMES.flatMap((name) => {
    const columnWidth = widths.get(name);
    return columnWidth === undefined ? [] : [{ name, width: columnWidth }];
  });
}

/** The first column that a host without readings has nothing in. */
export function textColumnAt(columns: readonly ColumnWidth[]): number {
  return columns.filter(({ name }) => name === "host" || name === "state" || name === "health").length;
}

/** What fits in these columns together. cli-table3 counts one column for each gap. */
export function spannedWidth(columns: readonly ColumnWidth[]): number {
  return columns.reduce((sum, { width }) => sum + width, 0) + Math.max(0, columns.length - 1);
}

/** Gives what is left of `width` to the messages of hosts without readings, as far as they need it. */
export function widenForText(
  columns: readonly ColumnWidth[],
  rows: readonly TableRow[],
  width: number,
): readonly ColumnWidth[] {
  const maxWidth = COLUMN_RULES.note.maxWidth ?? Infinity;
  const needed = Math.max(0, ...rows.map(({ message = "" }) => Math.min(textWidth(message), maxWidth)));
  const present = spannedWidth(columns.slice(textColumnAt(columns)));
  const used = columns.reduce((sum, column) => sum + column.width + GAP.length, 0);
  const last = columns.at(-1);
  const hasNotes = last?.name === "note";
  const more = Math.min(needed - present, width - used + (hasNotes ? GAP.length : 0));
  if (more <= 0 || present + more < MIN_TEXT_WIDTH) return columns;
  if (hasNotes) return [...columns.slice(0, -1), { name: "note", width: last.width + more }];
  // Notes that did not fit get no column that is too narrow for them.
  const isTooNarrow = more < MIN_TEXT_WIDTH && rows.some(({ cells }) => (cells.note ?? "") !== "");
  return isTooNarrow ? columns : [...columns, { name: "note", width: more }];
}
