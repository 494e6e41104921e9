/** The table: redrawn in place on a terminal, appended once a tick elsewhere. */
import type { StreamRecord } from "../contract/record.js";
import { cleanText } from "../lib/text.js";
import type { Formatter, FormatterOptions, Terminal } from "./formatter.js";
import { IdleGpus } from "./holders.js";
import { Roster } from "./roster.js";
import { repaint } from "./terminal.js";
import { TableFooter } from "./table-footer.js";
import { createPalette, layOut, type Palette } from "./table-layout.js";
import type { ColumnName } from "./table-rows.js";
import { fitText } from "./text-width.js";
import { TickBlocks } from "./tick-blocks.js";
import { soundOnes, writeSound } from "./unwritable.js";

/** Ten repaints a second: more are not seen. */
const PAUSE_MS = 100;
/** Of the screen's rows, for lines about drift. */
const DRIFT_SHARE = 0.25;

export function createTableFormatter(options: FormatterOptions): Formatter {
  const palette = createPalette(options.color);
  return options.terminal === null
    ? appendedTable(options, palette)
    : screenTable(options.terminal, options, palette);
}

function appendedTable(options: FormatterOptions, palette: Palette): Formatter {
  const { hostCount, unwritable } = options;
  const blocks = new TickBlocks(hostCount);
  const whole = new TableFooter(options, palette);
  const idle = new IdleGpus();
  let separator = "";
  const picture = (records: readonly StreamRecord[]): string => {
    const roster = new Roster(idle);
    const footer = new TableFooter({ hostCount }, palette);
    for (const record of records) {
      roster.put(record);
      idle.take(record);
      footer.take(record);
    }
    const { title, lines } = layOut(roster.rows(Infinity), Infinity, palette);
    return [title, ...lines, footer.fleetLine(Infinity), ""].join("\n");
  };
  const render = (records: readonly StreamRecord[]): string => {
    const text = separator + writeSound(records, picture, unwritable);
    separator = "\n";
    return text;
  };
  return {
    format: (records) => {
      for (const record of records) whole.take(record);
      return blocks.take(records).map(render).join("");
    },
    end: () => [...blocks.rest().map(render), ...whole.driftLines().map((line) => `${line}\n`)].join(""),
  };
}

function screenTable(terminal: Terminal, options: FormatterOptions, palette: Palette): Formatter {
  const { unwritable } = options;
  const idle = new IdleGpus();
  const roster = new Roster(idle);
  const footer = new TableFooter(options, palette);
  let widths: ReadonlyMap<ColumnName, number> = new Map();
  /** Since the last picture. They are looked into there, where one that cannot be read is replaced. */
  const fresh: StreamRecord[] = [];
  let note: string | null = null;
  let onNote: () => void = () => undefined;
  let isDriftCut = false;
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
    for (const record of fresh.splice(0)) idle.take(record);
    const { columns, rows } = terminal.size();
    // The last column stays free: clearing to the end of a full line takes its last character on some terminals.
    const width = Math.max(1, columns - 1);
    const resized = painted?.columns !== columns || painted.rows !== rows;
    if (resized) widths = new Map();
    const first = painted === null;
    painted = { columns, rows };

    // The title, the line of the fleet, its drift, perhaps a note, and where not all rows fit how many do not.
    const total = roster.rowCount();
    const drift = footer.driftWithin(width, Math.floor(rows * DRIFT_SHARE));
    isDriftCut = drift.isCut;
    const freeRows = Math.max(0, rows - drift.lines.length - (note === null ? 2 : 3));
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
      footer.fleetLine(width),
      ...drift.lines,
      ...(note === null ? [] : [palette.note(fitText(note, width))]),
    ];
    return repaint(lines.slice(-Math.max(1, rows)), { first, resized, rows });
  };

  const absorb = (records: readonly StreamRecord[]): void => {
    for (const record of records) {
      roster.put(record);
      footer.take(record);
    }
    fresh.push(...records);
  };
  return {
    format(records) {
      absorb(records);
      return roster.isEmpty() ? "" : paint();
    },
    // What the picture had no space for is printed below it.
    end: () => (painted === null ? "" : ["", ...(isDriftCut ? footer.driftLines() : []), ""].join("\n")),
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
