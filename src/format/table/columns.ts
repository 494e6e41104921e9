/** Which columns a table shows, and how wide: texts shrink first, then columns go, least needed first. */
import type { Cell } from "./cells.js";
import { COLUMN_NAMES, type ColumnName } from "./column-names.js";
import type { TableRow } from "./row.js";
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
  hosts: { title: "Hosts", align: "right" },
  sick: { title: "Sick", align: "right" },
  index: { title: "#", align: "right" },
  gpus: { title: "GPUs", align: "right" },
  device: { title: "Device", align: "left", minWidth: 10, maxWidth: 40 },
  utilization: { title: "Util %", align: "right" },
  bar: { title: "", align: "left" },
  strip: { title: "Each", align: "left", maxWidth: 40 },
  glances: { title: "Each: util %/°C", align: "left", maxWidth: 120 },
  memory: { title: "Memory GiB", align: "right" },
  temperature: { title: "°C", align: "right" },
  power: { title: "Power W", align: "right" },
  holders: { title: "Held by", align: "left", minWidth: 10, maxWidth: 40 },
  idle: { title: "Idle", align: "right" },
  clock: { title: "MHz", align: "right" },
  pcie: { title: "PCIe", align: "left" },
  ecc: { title: "ECC", align: "right" },
  cpu: { title: "CPU %", align: "right" },
  ram: { title: "RAM GiB", align: "right" },
  note: { title: "Note", align: "left", minWidth: 16, maxWidth: 120 },
};
export const GAP = "  ";
/** A text is not shown in less than this. */
export const MIN_TEXT_WIDTH = 16;

const SHRINK_ORDER: readonly ColumnName[] = ["note", "holders", "device", "state", "host"];
/** While one of these is there, no name is cut. */
const LUXURIES: readonly ColumnName[] = ["ecc", "pcie", "clock", "bar"];
const DROP_ORDER: readonly ColumnName[] = [
  ...LUXURIES,
  ...(["ram", "cpu", "power", "device", "glances"] as const),
  ...(["strip", "temperature", "memory", "note", "idle", "holders"] as const),
  ...(["index", "gpus", "utilization", "hosts", "sick"] as const),
  ...(["state", "health"] as const),
];
/** Where what is wrong has lines of its own, a note is worth less than readings. */
const DROP_ORDER_WITH_DETAILS: readonly ColumnName[] = [
  ...LUXURIES,
  ...(["note"] as const),
  ...DROP_ORDER.filter((name) => name !== "note" && !LUXURIES.includes(name)),
];

/** A host's health has more information than its state, and rows without their GPU and its load are all the same. */
function dropOrder(hasHealth: boolean, hasDetails: boolean): readonly ColumnName[] {
  const order = hasDetails ? DROP_ORDER_WITH_DETAILS : DROP_ORDER;
  if (!hasHealth) return order;
  const before = order.indexOf("index");
  return [...order.slice(0, before), "state", ...order.slice(before)];
}

/** What a column needs for all of its texts. */
export interface NaturalWidth {
  readonly full: number;
  /** With the short texts of cells that have one; `full` where none has. */
  readonly short: number;
}
export type NaturalWidths = ReadonlyMap<ColumnName, NaturalWidth>;

/** Without a text in any row they take no space. */
const OFTEN_EMPTY: ReadonlySet<ColumnName> = new Set(["note", "idle"]);

/** Of the columns that any row has something in, at least those of `before`, so that nothing jitters. */
export function naturalWidths(rows: readonly TableRow[], before: NaturalWidths): NaturalWidths {
  const widths = new Map(before);
  for (const { cells } of rows) {
    for (const name of COLUMN_NAMES) {
      const cell = cells[name];
      if (cell === undefined || (cell.text === "" && OFTEN_EMPTY.has(name))) continue;
      const rule = COLUMN_RULES[name];
      const title = textWidth(rule.title);
      const known = widths.get(name) ?? { full: title, short: title };
      const [full, short] = widthsOf(cell);
      widths.set(name, {
        full: Math.max(known.full, Math.min(full, rule.maxWidth ?? Infinity)),
        short: Math.max(known.short, Math.min(short, rule.maxWidth ?? Infinity)),
      });
    }
  }
  return widths;
}

function widthsOf({ text, short }: Cell): readonly [full: number, short: number] {
  const full = textWidth(text);
  return [full, short === undefined ? full : textWidth(short)];
}

/**
 * Columns in order, with widths whose sum with the gaps is at most `width`. Not empty unless `natural` is. `hasDetails`: notes
 * stand below the table too.
 */
export function fitColumns(
  natural: NaturalWidths,
  width: number,
  hasDetails = false,
): readonly ColumnWidth[] {
  const widths = new Map([...natural].map(([name, { full }]) => [name, full] as const));
  const excess = (): number => {
    const sum = [...widths.values()].reduce((total, w) => total + w, 0);
    return sum + GAP.length * Math.max(0, widths.size - 1) - width;
  };
  const shrink = (): void => {
    const isCut = !LUXURIES.some((name) => widths.has(name));
    for (const name of SHRINK_ORDER) {
      const known = natural.get(name);
      if (known === undefined || !widths.has(name)) continue;
      const { full, short } = known;
      widths.set(name, full);
      if (excess() <= 0) continue;
      const least = isCut || name === "note" ? (COLUMN_RULES[name].minWidth ?? full) : short;
      const minWidth = Math.min(short, least);
      // The short texts need no more than this: what is between is of no use.
      const wished = Math.min(full - excess(), short);
      widths.set(name, Math.max(minWidth, wished));
    }
  };
  // Both show the same GPUs: the strip is for screens that have no space for the glances.
  const strip = natural.get("strip");
  if (natural.has("glances")) widths.delete("strip");
  shrink();
  for (const name of dropOrder(widths.has("health"), hasDetails)) {
    if (excess() <= 0 || widths.size <= 1) break;
    if (!widths.delete(name)) continue;
    if (name === "glances" && strip !== undefined) widths.set("strip", strip.full);
    shrink();
  }
  const last = [...widths.keys()].at(-1);
  if (last !== undefined && excess() > 0) widths.set(last, Math.max(1, width));
  return COLUMN_NAMES.flatMap((name) => {
    const columnWidth = widths.get(name);
    return columnWidth === undefined ? [] : [{ name, width: columnWidth }];
  });
}

const BEFORE_TEXT: ReadonlySet<ColumnName> = new Set(["host", "state", "health"]);

/** The first column that a host without readings has nothing in. */
export function textColumnAt(columns: readonly ColumnWidth[]): number {
  return columns.filter(({ name }) => BEFORE_TEXT.has(name)).length;
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
  const isTooNarrow = more < MIN_TEXT_WIDTH && rows.some(({ cells }) => (cells.note?.text ?? "") !== "");
  return isTooNarrow ? columns : [...columns, { name: "note", width: more }];
}
