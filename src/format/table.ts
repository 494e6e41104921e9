/** The table: redrawn in place on a terminal, appended once a tick elsewhere. */
import type { StreamRecord } from "../contract/record.js";
import { DEFAULT_TABLE } from "../contract/table-options.js";
import { cleanText } from "../lib/text.js";
import type { Formatter, FormatterOptions, Terminal } from "./formatter.js";
import { AppendedTable } from "./table/appended.js";
import { TableFooter } from "./table/footer.js";
import { createLook, type Look } from "./table/look.js";
import { repaint } from "./table/repaint.js";
import { TableScreen } from "./table/screen.js";
import { chosenBy } from "./table-choice.js";
import { TickBlocks } from "./tick-blocks.js";
import { soundOnes, writeSound } from "./unwritable.js";

/** Ten repaints a second: more are not seen. */
const PAUSE_MS = 100;

export function createTableFormatter(options: FormatterOptions): Formatter {
  const look = createLook(options.color, options.isAscii);
  return options.terminal === null
    ? appendedTable(options, look)
    : screenTable(options.terminal, options, look);
}

function appendedTable(options: FormatterOptions, look: Look): Formatter {
  const { hostCount, unwritable, table = DEFAULT_TABLE } = options;
  const blocks = new TickBlocks(hostCount);
  const whole = new TableFooter(options, look);
  const appended = new AppendedTable(
    { hostCount, table, chosen: chosenBy(options.selection?.where ?? []) },
    look,
  );
  let separator = "";
  const picture = (records: readonly StreamRecord[]): string => appended.picture(records);
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

function screenTable(terminal: Terminal, options: FormatterOptions, look: Look): Formatter {
  const { hostCount, drift, table, intervalMs = null, unwritable } = options;
  const screen = new TableScreen(
    {
      ...{ hostCount, intervalMs, takesKeys: terminal.takesKeys === true },
      ...(drift === undefined ? {} : { drift }),
      ...(table === undefined ? {} : { table }),
      chosen: chosenBy(options.selection?.where ?? []),
    },
    look,
  );
  let onOutdated: () => void = () => undefined;
  let painted: { readonly columns: number; readonly rows: number } | null = null;

  const paint = (): string => {
    try {
      return paintAll();
    } catch (error) {
      if (unwritable === undefined) throw error;
      const layOutOne = ([record]: readonly StreamRecord[]): void => {
        if (record === undefined) return;
        const single = new TableScreen(
          { hostCount: null, intervalMs: null, takesKeys: false, chosen: null },
          look,
        );
        single.absorb([record]);
        single.picture({ columns: 1000, rows: 1000 });
      };
      const before = screen.records();
      const sound = soundOnes(before, layOutOne, unwritable);
      for (const [at, record] of sound.entries()) if (record !== before[at]) screen.replace(record);
      return paintAll();
    }
  };

  const paintAll = (): string => {
    const size = terminal.size();
    const resized = painted?.columns !== size.columns || painted.rows !== size.rows;
    if (resized) screen.forgetSize();
    const first = painted === null;
    painted = size;
    return repaint(screen.picture(size), { first, resized, rows: size.rows });
  };

  return {
    format(records) {
      screen.absorb(records);
      return screen.isEmpty ? "" : paint();
    },
    // What the picture had no space for is printed below it.
    end: () => (painted === null ? "" : ["", ...screen.linesCut(), ""].join("\n")),
    screen: {
      pauseMs: PAUSE_MS,
      absorb: (records) => screen.absorb(records),
      note(line) {
        screen.note(cleanText(line));
        onOutdated();
      },
      press(key) {
        if (screen.press(key)) onOutdated();
      },
      redraw() {
        // As on a terminal of another size: who knows what stands there now.
        if (painted !== null) painted = { columns: 0, rows: 0 };
        onOutdated();
      },
      onOutdated(listener) {
        onOutdated = listener;
        const stop = terminal.onResize(listener);
        return () => {
          onOutdated = () => undefined;
          stop();
        };
      },
    },
  };
}
