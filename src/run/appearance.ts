/** How records look where they are written: the format, whether it is redrawn in place, colour. */
import type { Options, OutputFormat } from "../contract/options.js";
import type { RuntimeDeps } from "../contract/runtime-deps.js";
import { createFormatter } from "../format/create-formatter.js";
import type { Formatter, Terminal } from "../format/formatter.js";
import { wantsColor, terminalOf } from "../format/terminal.js";
import type { Unwritable } from "../format/unwritable.js";
import type { Stream } from "../sources/source.js";

type AppearanceDeps = Pick<RuntimeDeps, "stdout" | "env">;

function writesToTerminal(options: Options, deps: AppearanceDeps): boolean {
  return options.output === null && deps.stdout.isTTY === true;
}

export function formatOf(options: Options, deps: AppearanceDeps): OutputFormat {
  return options.format ?? (writesToTerminal(options, deps) ? "table" : "ndjson");
}

/** The terminal on which a table is redrawn; null where it is appended, as on one that cannot move its cursor. */
export function redrawTerminal(options: Options, deps: AppearanceDeps): Terminal | null {
  const canRedraw = writesToTerminal(options, deps) && deps.env["TERM"] !== "dumb";
  return canRedraw && formatOf(options, deps) === "table" ? terminalOf(deps.stdout) : null;
}

export function formatterFor(
  options: Options,
  deps: AppearanceDeps,
  terminal: Terminal | null,
  { hostCount, labelNames }: Pick<Stream, "hostCount" | "labelNames">,
  unwritable: Unwritable,
): Promise<Formatter> {
  return createFormatter(formatOf(options, deps), {
    csvSections: options.csvSections,
    query: options.query,
    selection: options.selection,
    labelNames,
    color: wantsColor(options.color, deps.env, writesToTerminal(options, deps)),
    terminal,
    hostCount,
    drift: options.drift?.isReported === true,
    isOnce: options.length.kind === "once",
    unwritable,
  });
}
