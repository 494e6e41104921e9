/** How records look where they are written: the format, whether it is redrawn in place, colour. */
import type { Options, OutputFormat, StreamFormat } from "../contract/options.js";
import type { RuntimeDeps } from "../contract/runtime-deps.js";
import { createFormatter } from "../format/create-formatter.js";
import type { Formatter, Terminal, WholeText } from "../format/formatter.js";
import { isAsciiOnly, wantsColor, terminalOf } from "../format/terminal.js";
import type { Unwritable } from "../format/unwritable.js";
import type { Stream } from "../sources/source.js";

type AppearanceDeps = Pick<RuntimeDeps, "stdout" | "env" | "keyboard">;

function writesToTerminal(options: Options, deps: AppearanceDeps): boolean {
  return options.output === null && deps.stdout.isTTY === true;
}

export function formatOf(options: Options, deps: AppearanceDeps): OutputFormat {
  if (options.format !== null) return options.format;
  if (writesToTerminal(options, deps)) return "table";
  // Of a run that serves metrics, standard output is most often a system's log.
  return options.listen !== null && options.output === null ? "prometheus" : "ndjson";
}

/** What a source gives: lines where each record is text by itself, else records. */
export function streamFormatOf(options: Options, deps: AppearanceDeps): StreamFormat {
  const format = formatOf(options, deps);
  return options.listen === null && (format === "ndjson" || format === "csv") ? format : "records";
}

/** An endless run has no end to write at; one that serves metrics writes them nowhere else unless it has a file. */
function wholeTextOf({ output, listen, length, source }: Options): WholeText {
  const hasEnd = length.kind !== "endless" || source.kind === "replay";
  if (output === null) return { eachTick: false, atEnd: listen === null };
  return { eachTick: length.kind !== "once", atEnd: hasEnd };
}

/** The terminal on which a table is redrawn; null where it is appended, as on one that cannot move its cursor. */
export function redrawTerminal(options: Options, deps: AppearanceDeps): Terminal | null {
  const canRedraw = writesToTerminal(options, deps) && deps.env["TERM"] !== "dumb";
  if (!canRedraw || formatOf(options, deps) !== "table") return null;
  // A recording on standard input is read from there.
  const isInputTaken = options.source.kind === "replay" && options.source.file === "-";
  const takesKeys = (deps.keyboard ?? null) !== null && !isInputTaken;
  return { ...terminalOf(deps.stdout), takesKeys };
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
    table: options.table,
    isAscii: isAsciiOnly(deps.env),
    intervalMs: options.source.kind === "replay" ? null : options.intervalMs,
    hostCount,
    drift: options.drift?.isReported === true,
    isOnce: options.length.kind === "once",
    wholeText: wholeTextOf(options),
    unwritable,
  });
}
