/** How records look where they go: the format, whether it is redrawn in place, colour. */
import type { Writable } from "node:stream";
import type { Options, OutputFormat } from "../contract/options.js";
import { createFormatter } from "../format/create-formatter.js";
import type { Formatter, Terminal } from "../format/formatter.js";
import { wantsColor, terminalOf } from "../format/terminal.js";
import type { Unwritable } from "../format/unwritable.js";

/** Standard output as the process has it. */
export interface OutputStream extends Writable {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

interface Surroundings {
  readonly stdout: OutputStream;
  readonly env: Readonly<Record<string, string | undefined>>;
}

function writesToTerminal(options: Options, world: Surroundings): boolean {
  return options.output === null && world.stdout.isTTY === true;
}

export function formatOf(options: Options, world: Surroundings): OutputFormat {
  return options.format ?? (writesToTerminal(options, world) ? "table" : "ndjson");
}

/** The terminal that a table is redrawn on; null where it is appended, as on one that cannot move its cursor. */
export function pictureTerminal(options: Options, world: Surroundings): Terminal | null {
  const canRedraw = writesToTerminal(options, world) && world.env["TERM"] !== "dumb";
  return canRedraw && formatOf(options, world) === "table" ? terminalOf(world.stdout) : null;
}

export function formatterFor(
  options: Options,
  world: Surroundings,
  terminal: Terminal | null,
  hostCount: number | null,
  unwritable: Unwritable,
): Promise<Formatter> {
  return createFormatter(formatOf(options, world), {
    csvSections: options.csvSections,
    query: options.query,
    color: wantsColor(options.color, world.env, writesToTerminal(options, world)),
    terminal,
    hostCount,
    isOnce: options.length.kind === "once",
    unwritable,
  });
}
