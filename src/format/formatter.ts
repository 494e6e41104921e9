/**
 * Records to text. A formatter reads and writes nothing itself; it only knows the terminal it is given:
 *
 *     createFormatter(kind, options): Promise<Formatter>                                  (create-formatter.ts)
 *     drainTo(batches, formatter, output, { signal, clock, stop }): Promise<Drained>     (sink.ts)
 */
import type { Section, StreamRecord } from "../contract/record.js";
import type { Selection } from "../contract/selection.js";
import type { TableOptions } from "../contract/table-options.js";
import type { ScrollKey } from "./table/scroll.js";
import type { Unwritable } from "./unwritable.js";

export interface Formatter {
  /** Printed once, before everything else. */
  header?(): string;
  /** Whole lines, or a picture of the screen; "" when there is nothing to print yet. */
  format(records: readonly StreamRecord[]): string;
  /** The same in UTF-8, in a buffer that is lent until the next call. Absent where a format makes strings only. */
  bytes?(records: readonly StreamRecord[]): Uint8Array;
  /** What is left to print when the records end. */
  end?(): string;
  /** There when each text of `format` replaces the last one. */
  readonly screen?: Screen;
}

/** How a picture that is redrawn in place is paced. */
export interface Screen {
  /** Minimum time between two pictures, in ms. */
  readonly pauseMs: number;
  /** Takes records in without a picture; `format([])` gives it later. */
  absorb(records: readonly StreamRecord[]): void;
  /** Shows this line below the picture, in the place of the last one. */
  note(line: string): void;
  /** Scrolls. */
  press(key: ScrollKey): void;
  /** Draws everything anew: something else may have written on the terminal. */
  redraw(): void;
  /** Calls back when something other than a record outdates the picture. Returns a function that stops it. One listener. */
  onOutdated(listener: () => void): () => void;
}

/** The terminal on which a table redraws in place. */
export interface Terminal {
  /** The size now, in cells. */
  size(): { readonly columns: number; readonly rows: number };
  onResize(listener: () => void): () => void;
  /** Whether its keys are read. Absent: no. */
  readonly takesKeys?: boolean;
}

/** When a format that is one text of the whole fleet gives it. */
export interface WholeText {
  /** After each tick: it replaces the text before it. */
  readonly eachTick: boolean;
  readonly atEnd: boolean;
}

export interface FormatterOptions {
  /** Sections with rows, in CSV and with `--rows device`, in the contract's order. */
  readonly csvSections: readonly Section[];
  /** What `--fields` names: CSV columns, or all that NDJSON keeps. Empty: the default layout, and everything. */
  readonly query: readonly string[];
  /** What else is chosen; the table takes its conditions alone. Absent: everything. */
  readonly selection?: Selection;
  /** Labels with a CSV column of their own. Absent: none. */
  readonly labelNames?: readonly string[];
  readonly color: boolean;
  /** Null: the table is appended plainly. */
  readonly terminal: Terminal | null;
  /** Of the table. Absent: as without a flag. */
  readonly table?: TableOptions;
  /** Whether the table keeps to ASCII. Absent: no. */
  readonly isAscii?: boolean;
  /** Between readings, in ms. Null or absent: not known, as in a recording. */
  readonly intervalMs?: number | null;
  /** How many hosts are watched, where that is known (not in a replay). */
  readonly hostCount: number | null;
  /** Lines below the table for what differs between hosts of a group. Absent: none. */
  readonly drift?: boolean;
  /** A run of one tick, which the fast writers do not help. */
  readonly isOnce: boolean;
  /** For `prometheus`. Absent: once, when the records end. */
  readonly wholeText?: WholeText;
  /** Replaces a record that cannot be written. Absent: the formatter throws. */
  readonly unwritable?: Unwritable;
}
