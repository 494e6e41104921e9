/** The whole program except the process: options in, records out, an exit code back. */
import { setMaxListeners } from "node:events";
import { UsageError } from "../contract/errors.js";
import type { Keyboard } from "../contract/keyboard.js";
import type { OperatorLog } from "../contract/operator-log.js";
import type { Options } from "../contract/options.js";
import type { RuntimeDeps } from "../contract/runtime-deps.js";
import { patientOutput } from "../format/disk-full.js";
import type { Formatter, Screen } from "../format/formatter.js";
import { lacksHeader, OutputClosed, OutputError, type Output } from "../format/output.js";
import { textsOf } from "../format/pacing.js";
import { drainTexts } from "../format/sink.js";
import { insteadOf, type Unwritable } from "../format/unwritable.js";
import { withHealth } from "../health/with-health.js";
import { onAbort } from "../lib/abort.js";
import type { Clock } from "../lib/clock.js";
import { cleanText } from "../lib/text.js";
import { driftReport } from "../outcome/drift-watch.js";
import { tallyLog, withTally } from "../outcome/with-tally.js";
import { EXIT, exitCodeOf, lastLine, traitsIn, unreadIn, type Counts } from "../outcome/tally.js";
import { openStream } from "../sources/open-source.js";
import type { Exporter } from "../serve/exporter.js";
import type { Lines, RecordStream } from "../sources/source.js";
import { formatOf, formatterFor, redrawTerminal, streamFormatOf } from "./appearance.js";
import { Faults } from "./faults.js";
import { createLog, hostChangeLines } from "./operator-log.js";
import { Notices } from "./notices.js";
import { outputOf } from "./output.js";
import { ProgressLine, progressOf, progressTerminal } from "./progress-line.js";
import { reloadHosts } from "./reload-hosts.js";

/**
 * Runs until the last tick, the reader's end, or the signal's abort. Returns the exit code that the records lead to.
 * `warnings` are logged first. Throws UsageError before anything was connected.
 */
export async function run(
  options: Options,
  warnings: readonly string[],
  deps: RuntimeDeps,
  signal: AbortSignal,
): Promise<number> {
  const stopper = new AbortController();
  // Every host has a listener on it while it is watched.
  setMaxListeners(0, stopper.signal);
  const stop = (): void => stopper.abort();
  const stopListening = onAbort(signal, stop);
  const terminal = redrawTerminal(options, deps);
  const isTableThere = terminal !== null && deps.logTerminal !== null;
  const progress = new ProgressLine(deps.clock, progressTerminal(options, deps));
  const notices = new Notices((line) => progress.around(() => deps.logLine(line)), isTableThere);
  const faults = new Faults((text) => notices.log(text));
  const hostChanges = hostChangeLines(options, { isTerminal: deps.logTerminal !== null, isTableThere });
  const log = createLog(notices, options, faults, hostChanges);
  const unwritable: Unwritable = (record, error) => {
    faults.report(record.host_id, error);
    return insteadOf(record, error, options.length.kind === "once");
  };
  try {
    warnings.forEach((message) => log.warn(message));
    if (options.dryRun) {
      const { runDryRun } = await import("./dry-run.js");
      const code = await runDryRun(options, deps, log, stopper.signal);
      return faults.isAny ? EXIT.internal : code;
    }
    if (options.check !== null) {
      const { runCheck } = await import("./check.js");
      return await runCheck(options, options.check, deps, log, unwritable, stopper.signal);
    }
    let output = await outputOf(options, deps);
    // Before anything connects: an address that is taken is wrong usage.
    const exporter = await exporterOf(options, deps.clock, log);
    // What scripts and recordings see does not depend on a terminal.
    const screenRows = options.length.kind === "endless" ? (terminal?.size().rows ?? null) : null;
    const sourceDeps = { ...deps, screenRows };
    const opening = openStream(options, streamFormatOf(options, deps), sourceDeps, log, stopper.signal);
    const stream = await opening.catch(async (error: unknown) => {
      await exporter?.close();
      throw error;
    });
    try {
      const formatter = await formatterFor(options, deps, terminal, stream, unwritable);
      // Below the table there is space for one line: of a stack, the first.
      const show = (line: string): void => formatter.screen?.note(line.split("\n", 1)[0] ?? "");
      if (formatter.screen !== undefined) notices.showOn(show);
      if (terminal?.takesKeys === true) listenToKeys(deps.keyboard, formatter.screen, stop);
      const { clock } = deps;
      const lines =
        stream.kind === "lines"
          ? stream
          : formatted(stream, formatter, exporter, options, log, unwritable, clock);
      const header = formatter.header?.() ?? "";
      const patient =
        output.isOnDisk === true && options.length.kind !== "once"
          ? patientOutput(output, header, (line) => notices.log(line))
          : null;
      output = patient ?? output;
      if (output.firstLine !== null && lacksHeader(output.firstLine, header))
        log.warn(
          `--output ${cleanText(options.output ?? "")}: the file begins with another header; this run appends its own header, and the columns change there`,
        );
      const target = output;
      const { rereadTargets: reread } = deps;
      const reloading = { reread, format: formatOf(options, deps), print: log.line, warn: log.warn };
      await deps.onHangUp(async () => {
        await reopen(target, header, options, notices);
        if (reread !== null) await reloadHosts(stream, { ...reloading, reread });
      });
      progress.start(progressOf(stream, lines, clock));
      const write: Output["write"] = (text) => {
        // The picture of a table has this line's place, and how many hosts are pending.
        if (isTableThere && text.length > 0) progress.stop();
        return progress.around(() => target.write(text));
      };
      const sink: Output = { firstLine: target.firstLine, write, close: () => target.close() };
      const drained = await drainTexts(lines.texts, header, sink, { signal: stopper.signal, clock, stop });
      progress.stop();
      if (drained === "closed") return faults.isAny ? EXIT.internal : EXIT.ok;
      // A run that a signal ends has come to no end of its own, and a table that is redrawn has its own last line.
      // A shard that has no host has nothing that could fail.
      if (stream.hostCount === 0) return faults.isAny ? EXIT.internal : EXIT.ok;
      const code = conclude(lines.summary(), options, log, {
        lastLine: terminal !== null ? "never" : lastLineOf(options, signal.aborted),
        isDriftDue: options.drift?.isReported === true && formatOf(options, deps) !== "table",
      });
      return faults.isAny || (patient?.droppedLines ?? 0) > 0 ? EXIT.internal : code;
    } finally {
      stop();
      deps.keyboard?.close();
      await stream.close();
      await exporter?.close();
      await output.close();
    }
  } catch (error) {
    // Aborted while the source was being opened.
    if (stopper.signal.aborted && error === stopper.signal.reason) return EXIT.ok;
    if (error instanceof OutputClosed) return EXIT.ok;
    if (!(error instanceof OutputError)) throw error;
    notices.log(error.message);
    return EXIT.internal;
  } finally {
    progress.stop();
    notices.release();
    stopListening();
  }
}

/** The one place where keys mean something. */
function listenToKeys(
  keyboard: Keyboard | null | undefined,
  screen: Screen | undefined,
  quit: () => void,
): void {
  if (screen === undefined) return;
  keyboard?.open(
    (key) => {
      if (key === "quit") quit();
      else screen.press(key);
    },
    () => screen.redraw(),
  );
}

function formatted(
  { batches, hostCount }: RecordStream,
  formatter: Formatter,
  exporter: Exporter | null,
  options: Options,
  log: OperatorLog,
  unwritable: Unwritable,
  clock: Clock,
): Lines {
  const judged = withHealth(batches, options.health, unwritable);
  const logged = tallyLog(options.verbosity, log.hostChanges, log.line);
  const seen = withTally(judged, options, logged, unwritable);
  const served = exporter === null ? seen.batches : exporter.watch(seen.batches, hostCount);
  const texts = textsOf(served, formatter, clock);
  return {
    texts,
    counts: () => [seen.counts()],
    summary: () => [seen.summary()],
    awaited: (hosts, max) => seen.awaited(hosts, max),
  };
}

/** When the last line is printed, which has how many hosts are ok. */
type LastLineDue = "never" | "not all ok" | "always";

/** The log of a watch has an end, whatever ended it; a run of one reading is silent where all is well. */
function lastLineOf({ length, source }: Options, isAborted: boolean): LastLineDue {
  if (length.kind !== "once" && source.kind === "targets") return "always";
  return isAborted ? "never" : "not all ok";
}

/** The exit code, and what the operator should know of the run as a whole. Throws UsageError for an empty recording. */
function conclude(
  counts: readonly Counts[],
  options: Options,
  log: OperatorLog,
  due: { readonly lastLine: LastLineDue; readonly isDriftDue: boolean },
): number {
  const { source, verbosity } = options;
  if (source.kind === "replay" && counts.every(({ hosts }) => hosts === 0))
    throw new UsageError([
      `--replay: ${source.file === "-" ? "standard input" : source.file} has no records`,
    ]);
  for (const { condition, field } of unreadIn(counts))
    log.warn(`--fail-on "${condition}": no record had a reading of ${field}`);
  if (due.isDriftDue) driftReport(traitsIn(counts)).lines.forEach((line) => log.line(line));
  const code = exitCodeOf(counts, options);
  // Half of the demo's hosts fail on purpose: that is no failure of the demo.
  if (source.kind === "demo" && code === EXIT.someFailed) return EXIT.ok;
  const isNews = due.lastLine === "always" || counts.some(({ byKind, hosts }) => byKind.ok < hosts);
  const isAny = counts.some(({ hosts }) => hosts > 0);
  if (verbosity !== "quiet" && due.lastLine !== "never" && isNews && isAny) log.line(lastLine(counts));
  return code;
}

/** Serves from now on, with `--listen`. Throws UsageError where it cannot. */
async function exporterOf(
  { listen, intervalMs, verbosity }: Options,
  clock: Clock,
  log: OperatorLog,
): Promise<Exporter | null> {
  if (listen === null) return null;
  const { startExporter } = await import("../serve/exporter.js");
  const exporter = await startExporter({ listen, intervalMs, clock, fault: log.fault });
  if (verbosity !== "quiet") log.line(`serving ${exporter.url}`);
  return exporter;
}

/** The old file stays in use until the new one is open, and where it cannot be opened. */
async function reopen(output: Output, header: string, options: Options, notices: Notices): Promise<void> {
  if (output.reopen === undefined || options.output === null) return;
  const path = cleanText(options.output);
  try {
    await output.reopen(header);
    notices.log(`SIGHUP: reopened --output ${path}`);
  } catch (error) {
    notices.log(`warning: SIGHUP: --output ${path} stays the old file: ${messageOf(error)}`);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
