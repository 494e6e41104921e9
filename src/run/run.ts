/** The whole program except the process: options in, records out, an exit code back. */
import { setMaxListeners } from "node:events";
import { UsageError } from "../contract/errors.js";
import type { Keyboard } from "../contract/keyboard.js";
import type { OperatorLog } from "../contract/operator-log.js";
import type { Options } from "../contract/options.js";
import type { RuntimeDeps } from "../contract/runtime-deps.js";
import type { Formatter, Screen } from "../format/formatter.js";
import {
  fileOutput,
  lacksHeader,
  OutputClosed,
  OutputError,
  streamOutput,
  type Output,
} from "../format/output.js";
import { textsOf } from "../format/pacing.js";
import { drainTexts } from "../format/sink.js";
import { insteadOf, type Unwritable } from "../format/unwritable.js";
import { withHealth } from "../health/with-health.js";
import { onAbort, unlessAborted } from "../lib/abort.js";
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
import { Notices } from "./notices.js";

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
  const notices = new Notices((line) => deps.logLine(line), terminal !== null && deps.logsToTerminal);
  const faults = new Faults((text) => notices.log(text));
  const log = createLog(notices, options, faults);
  const unwritable: Unwritable = (record, error) => {
    faults.report(record.host_id, error);
    return insteadOf(record, error, options.length.kind === "once");
  };
  try {
    warnings.forEach((message) => log.warn(message));
    if (options.dryRun) return await dryRun(options, deps, faults, stopper.signal);
    if (options.check !== null) {
      const { runCheck } = await import("./check.js");
      return await runCheck(options, options.check, deps, log, unwritable, stopper.signal);
    }
    const output = await outputOf(options, deps);
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
      const { texts, counts } =
        stream.kind === "lines"
          ? stream
          : formatted(stream, formatter, exporter, options, log, unwritable, clock);
      const header = formatter.header?.() ?? "";
      if (output.firstLine !== null && lacksHeader(output.firstLine, header))
        log.warn(
          `--output ${cleanText(options.output ?? "")}: its first line is not this run's header; the columns change in the file, where a new header stands`,
        );
      await deps.onReopen(() => reopen(output, header, options, notices));
      const drained = await drainTexts(texts, header, output, { signal: stopper.signal, clock, stop });
      if (drained === "closed") return faults.isAny ? EXIT.internal : EXIT.ok;
      // A run that a signal ends has come to no end of its own, and a table that is redrawn has its own last line.
      // A shard that has no host has nothing that could fail.
      if (stream.hostCount === 0) return faults.isAny ? EXIT.internal : EXIT.ok;
      const code = conclude(counts(), options, log, {
        isLastLineDue: !signal.aborted && terminal === null,
        isDriftDue: options.drift?.isReported === true && formatOf(options, deps) !== "table",
      });
      return faults.isAny ? EXIT.internal : code;
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
    notices.release();
    stopListening();
  }
}

/** The one place where keys mean something. */
function listenToKeys(keyboard: Keyboard | null, screen: Screen | undefined, quit: () => void): void {
  if (screen === undefined) return;
  keyboard?.open(
    (key) => {
      if (key === "quit") quit();
      else screen.press(key);
    },
    () => screen.redraw(),
  );
}

function createLog(notices: Notices, { verbosity }: Options, faults: Faults): OperatorLog {
  return {
    warn: (message) => {
      if (verbosity !== "quiet") notices.log(`warning: ${message}`);
    },
    debug: (message) => {
      if (verbosity === "verbose") notices.log(cleanText(message));
    },
    line: (line) => notices.log(line),
    fault: faults.report,
    faultStack: (host, stack) => faults.reportStack(host, stack),
  };
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
  const seen = withTally(judged, options, tallyLog(options.verbosity, log.line), unwritable);
  const served = exporter === null ? seen.batches : exporter.watch(seen.batches, hostCount);
  return { texts: textsOf(served, formatter, clock), counts: () => [seen.summary()] };
}

/** The exit code, and what the operator should know of the run as a whole. Throws UsageError for an empty recording. */
function conclude(
  counts: readonly Counts[],
  options: Options,
  log: OperatorLog,
  { isLastLineDue, isDriftDue }: { readonly isLastLineDue: boolean; readonly isDriftDue: boolean },
): number {
  const { source, verbosity } = options;
  if (source.kind === "replay" && counts.every(({ hosts }) => hosts === 0))
    throw new UsageError([
      `--replay: ${source.file === "-" ? "standard input" : source.file} has no records`,
    ]);
  for (const { condition, field } of unreadIn(counts))
    log.warn(`--fail-on "${condition}": no record had a reading of ${field}`);
  if (isDriftDue) driftReport(traitsIn(counts)).lines.forEach((line) => log.line(line));
  const code = exitCodeOf(counts, options);
  // Half of the demo's hosts fail on purpose: that is no failure of the demo.
  if (source.kind === "demo" && code === EXIT.someFailed) return EXIT.ok;
  const isReported =
    isLastLineDue && verbosity !== "quiet" && counts.some(({ byKind, hosts }) => byKind.ok < hosts);
  if (isReported) log.line(lastLine(counts));
  return code;
}

async function outputOf(options: Options, deps: RuntimeDeps): Promise<Output> {
  if (options.output === null) return streamOutput(deps.stdout);
  if (formatOf(options, deps) !== "prometheus") return openOutput(options.output);
  return (await import("../format/replaced-file.js")).replacedFile(options.output);
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

async function openOutput(path: string): Promise<Output> {
  try {
    return await fileOutput(path);
  } catch (error) {
    throw new UsageError([`--output: cannot append to ${path}: ${messageOf(error)}`]);
  }
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

async function dryRun(
  options: Options,
  deps: RuntimeDeps,
  faults: Faults,
  signal: AbortSignal,
): Promise<number> {
  if (options.source.kind !== "targets") {
    throw new UsageError(["--dry-run: needs hosts; give --ssh or --ssh-hostfile with it"]);
  }
  const { clock, env, programs } = deps;
  const [{ openNames }, { planTargets }, { isOfShard }, { describePlans }] = await Promise.all([
    import("../ssh/names/resolver-pool.js"),
    import("../fleet/open-fleet.js"),
    import("../fleet/shard.js"),
    import("./dry-run.js"),
  ]);
  const names = openNames(programs.resolver, clock);
  const planning = planTargets(options, options.source.targets, { env, clock, names }, faults.report);
  const all = await unlessAborted(planning, signal).finally(() => names.close());
  const { shard } = options;
  const planned = shard === null ? all : all.filter(({ target }) => isOfShard(target, shard));
  // Plans are no metrics: the file of an earlier run stays as it is.
  const isMetrics = formatOf(options, deps) === "prometheus";
  const output =
    options.output === null || isMetrics ? streamOutput(deps.stdout) : await openOutput(options.output);
  for await (const text of describePlans(planned, options, deps, faults.report)) await output.write(text);
  await output.close();
  return faults.isAny ? EXIT.internal : EXIT.ok;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
