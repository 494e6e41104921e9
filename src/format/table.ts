/** The table: redrawn in place on a terminal, appended once a tick elsewhere. */
import type { StreamRecord } from "../contract/record.js";
import { cleanText } from "../lib/text.js";
import type { Formatter, FormatterOptions, Terminal } from "./formatter.js";
import { Roster } from "./roster.js";
import { repaint } from "./terminal.js";
import { countLine, createPalette, layOut, type Palette } from "./table-layout.js";
import type { ColumnName } from "./table-rows.js";
import { fitText } from "./text-width.js";
import { TickBlocks } from "./tick-blocks.js";
import { soundOnes, writeSound, type Unwritable } from "./unwritable.js";

/** Ten repaints a second: more are not seen. */
const PAUSE_MS = 100;

export function createTableFormatter(options: FormatterOptions): Formatter {
  const palette = createPalette(options.color);
  return options.terminal === null
    ? appendedTable(options.hostCount, palette, options.unwritable)
    : screenTable(options.terminal, palette, options.unwritable);
}

function appendedTable(
  hostCount: number | null,
  palette: Palette,
  unwritable: Unwritable | undefined,
): Formatter {
  const blocks = new TickBlocks(hostCount);
  let separator = "";
  const picture = (records: readonly StreamRecord[]): string => {
    const roster = new Roster();
    for (const record of records) roster.put(record);
    const { title, lines } = layOut(roster.rows(Infinity), Infinity, palette);
    const counts = countLine(roster.states(), Infinity, palette);
    return [title, ...lines, counts, ""].join("\n");
  };
  const render = (records: readonly StreamRecord[]): string => {
    const text = separator + writeSound(records, picture, unwritable);
    separator = "\n";
    return text;
  };
  return {
    format: (records) => blocks.take(records).map(render).join(""),
    end: () => blocks.rest().map(render).join(""),
  };
}

function screenTable(terminal: Terminal, palette: Palette, unwritable: Unwritable | undefined): Formatter {
  const roster = new Roster();
  let widths: ReadonlyMap<ColumnName, number> = new Map();
  let note: string | null = null;
  let onNote: () => void = () => undefined;
  let painted: { readonly columns: number; readonly rows: number } | null = null;

  const paint = (): string => {
    try {
      return paintAll();
    } catch (error) {
      if (unwritable === undefined) throw error;
      const layOutOne = ([record]: readonly StreamRecord[]): void => {
        const single = new Roster();
        if (record !== undefined) single.put(record);
        layOut(single.rows(single.rowCount()), Infinity, palette);
      };
      absorb(soundOnes(roster.records(), layOutOne, unwritable));
      return paintAll();
    }
  };

  const paintAll = (): string => {
    const { columns, rows } = terminal.size();
    // The last column stays free: clearing to the end of a full line takes its last character on some terminals.
    const width = Math.max(1, columns - 1);
    const resized = painted?.columns !== columns || painted.rows !== rows;
    if (resized) widths = new Map();
    const first = painted === null;
    painted = { columns, rows };

    // The title, the line of counts, perhaps a note, and where not all rows fit the line with how many do not.
    const total = roster.rowCount();
    const freeRows = Math.max(0, rows - (note === null ? 2 : 3));
    const shown = total <= freeRows ? total : Math.max(0, freeRows - 1);
    const visible = roster.rows(shown);
    const laidOut = layOut(visible, width, palette, widths);
    widths = laidOut.widths;
    const hidden = total - visible.length;
    const more = `${hidden} more ${hidden === 1 ? "row" : "rows"} of ${total} not shown: the terminal is too small`;
    const lines = [
      laidOut.title,
      ...laidOut.lines,
      ...(hidden > 0 ? [palette.faint(fitText(more, width))] : []),
      countLine(roster.states(), width, palette),
      ...(note === null ? [] : [palette.note(fitText(note, width))]),
    ];
    return repaint(lines.slice(-Math.max(1, rows)), { first, resized, rows });
  };

  const absorb = (records: readonly StreamRecord[]): void => {
    for (const record of records) roster.put(record);
  };
  return {
    format(records) {
      absorb(records);
      return roster.isEmpty() ? "" : paint();
    },
    end: () => (painted === null ? "" : "\n"),
    screen: {
      pauseMs: PAUSE_MS,
      absorb,
      note(line) {
        note = cleanText(line);
        onNote();
      },
      onOutdated(listener) {
        onNote = listener;
        const stop = terminal.onResize(listener);
        return () => {
          onNote = () => undefined;
          stop();
        };
      },
    },
  };
}
