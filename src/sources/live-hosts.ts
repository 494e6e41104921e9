/** Live hosts as a stream of records: plans how each is reached, then watches them on this thread or on worker threads. */
import { access, constants } from "node:fs/promises";
import { isIP } from "node:net";
import { UsageError } from "../contract/errors.js";
import type { OperatorLog } from "../contract/operator-log.js";
import type { Options, StreamFormat } from "../contract/options.js";
import type { StreamRecord } from "../contract/record.js";
import type { Target } from "../contract/target.js";
import type { FleetChange } from "../fleet/fleet-change.js";
import type { WatchedTarget } from "../fleet/identity.js";
import type { FleetLog, FleetSettings } from "../fleet/open-fleet.js";
import { labelColumns } from "../format/label-columns.js";
import { unlessAborted } from "../lib/abort.js";
import { failureReason } from "../lib/error-code.js";
import type { Counts } from "../outcome/tally.js";
import type { Names } from "../ssh/names/names.js";
import { openFilesFor } from "./open-files-for.js";
import { WatchedHosts, type PlanTargets } from "./reload.js";
import type { Opened, RecordStream, SourceDeps, Stream } from "./source.js";
import type { FleetThreads } from "./threads/fleet-threads.js";
import { sharesOf, threadCount } from "./threads/shares.js";
import { limitYoungSpace } from "./young-space.js";

/**
 * The hosts on as many threads as they need. Throws ConfigError or UsageError before anything is connected. `format`: what the
 * threads hand over.
 */
export async function openLive(
  options: Options,
  targets: readonly Target[],
  format: StreamFormat,
  deps: SourceDeps,
  log: OperatorLog,
  signal: AbortSignal,
): Promise<Stream> {
  await checkKeyFiles(options.ssh.keyFiles);
  const stayHere = threadCount(options, format, targets.length) === 0;
  const planned = await planHosts(options, targets, stayHere, deps, log, signal);
  const planAgain: PlanTargets = async (changed) => {
    const again = await planHosts(options, changed, false, deps, log, signal);
    again.names.close();
    return again.watched;
  };
  const settings = { ...options, openFiles: openFilesFor(planned.watched, options, log) };
  const count = threadCount(options, format, planned.watched.length);
  if (count === 0) {
    const here = await watchHere(settings, planned, planAgain, deps, log, signal);
    if (options.length.kind === "once") return here;
    const limiting = limitYoungSpace(planned.watched.length, deps.clock);
    const closeHosts = here.close.bind(here);
    const close = async (): Promise<void> => {
      limiting.cancel();
      await closeHosts();
    };
    return Object.assign(here, { close });
  }
  planned.names.close();
  return watchOnThreads(settings, planned, planAgain, count, format, deps, log, signal);
}

export type LiveDeps = Pick<SourceDeps, "env" | "clock" | "random" | "programs">;

/** Live hosts on the caller's thread. Throws ConfigError or UsageError before anything is connected. */
export async function openHere(
  settings: FleetSettings,
  targets: readonly Target[],
  deps: LiveDeps,
  log: FleetLog,
  signal: AbortSignal,
): Promise<RecordStream> {
  await checkKeyFiles(settings.ssh.keyFiles);
  const planned = await planHosts(settings, targets, true, deps, log, signal);
  return watchHere(settings, planned, null, deps, log, signal);
}

interface PlannedHosts {
  readonly watched: readonly WatchedTarget[];
  /** Open: the caller closes it. */
  readonly names: Names;
  /** When the run began, by the clock's monotonic time. */
  readonly beginMs: number;
}

async function planHosts(
  settings: FleetSettings & Partial<Pick<Options, "shard">>,
  targets: readonly Target[],
  stayHere: boolean,
  { env, clock, programs }: LiveDeps,
  log: FleetLog,
  signal: AbortSignal,
): Promise<PlannedHosts> {
  const beginMs = clock.nowMs();
  const { openNames } = await import("../ssh/names/resolver-pool.js");
  const names = openNames(programs.resolver, clock);
  // Its process starts while the next modules load: a run of one reading would wait for it otherwise.
  if (stayHere && settings.ssh.client !== "openssh" && targets.some(isDnsName)) names.expect();
  const { planFleet } = await import("../fleet/open-fleet.js");
  const planning = planFleet(settings, targets, { env, clock, names }, log.warn, log.fault);
  try {
    return { watched: await unlessAborted(planning, signal), names, beginMs };
  } catch (error) {
    names.close();
    throw error;
  }
}

/** A name without a dot may be an alias of ssh_config, and have an address there. */
function isDnsName({ host }: Target): boolean {
  return host.includes(".") && isIP(host) === 0;
}

async function watchHere(
  settings: FleetSettings,
  { watched, names, beginMs }: PlannedHosts,
  planAgain: PlanTargets | null,
  { clock, random }: LiveDeps,
  log: FleetLog,
  signal: AbortSignal,
): Promise<RecordStream> {
  const { openFleet } = await import("../fleet/open-fleet.js");
  const fleet = await openFleet(settings, watched, { clock, random, names, beginMs, ...log }, signal);
  const close = (): Promise<void> => fleet.close();
  const opened = openedHosts(watched, planAgain, (change) => fleet.change(change), close);
  return Object.assign(opened, { kind: "records", batches: fleet.batches } as const);
}

async function watchOnThreads(
  options: Options & FleetSettings,
  { watched, beginMs }: PlannedHosts,
  planAgain: PlanTargets,
  count: number,
  format: StreamFormat,
  { clock, programs }: LiveDeps,
  log: OperatorLog,
  signal: AbortSignal,
): Promise<Stream> {
  const { hostChanges } = log;
  const resolver = programs.resolver.href;
  const shares = sharesOf(options, watched, { count, format, resolver, beginMs, hostChanges });
  const { FleetThreads } = await import("./threads/fleet-threads.js");
  const threads = FleetThreads.start(shares, { program: programs.thread, clock, log, signal });
  const close = async (): Promise<void> => {
    await threads.return();
  };
  const counts = (): readonly Counts[] => threads.counts;
  const opened = openedHosts(watched, planAgain, (change) => threads.change(change), close);
  return format === "records"
    ? Object.assign(opened, { kind: "records", batches: recordsOf(threads) } as const)
    : Object.assign(opened, {
        kind: "lines",
        texts: threads,
        counts,
        summary: counts,
        awaited: () => [],
      } as const);
}

/** What live streams have in common. */
function openedHosts(
  watched: readonly WatchedTarget[],
  planAgain: PlanTargets | null,
  change: (change: FleetChange) => void,
  close: () => Promise<void>,
): Opened {
  const labelNames = labelColumns(watched.map(({ identity }) => identity));
  if (planAgain === null)
    return { hostCount: watched.length, hostNames: namesOf(watched), labelNames, close };
  const hosts = new WatchedHosts(watched, planAgain, change);
  return {
    get hostCount() {
      return hosts.count;
    },
    get hostNames() {
      return hosts.names;
    },
    replaceHosts: (targets) => hosts.replace(targets),
    labelNames,
    close,
  };
}

function namesOf(watched: readonly WatchedTarget[]): ReadonlyMap<string, string> {
  return new Map(watched.map(({ identity }) => [identity.hostId, identity.hostname]));
}

/** The threads' NDJSON as records. */
async function* recordsOf(threads: FleetThreads): AsyncGenerator<readonly StreamRecord[], void> {
  for (;;) {
    const step = await threads.next();
    if (step.done === true) return;
    const lines = Buffer.from(step.value).toString().trimEnd().split("\n");
    yield lines.map((line) => JSON.parse(line) as StreamRecord);
  }
}

/** Throws UsageError for files of `--ssh-key` that cannot be read. */
async function checkKeyFiles(files: readonly string[]): Promise<void> {
  const problems: string[] = [];
  for (const file of files) {
    await access(file, constants.R_OK).catch((error: unknown) => {
      problems.push(`--ssh-key: cannot read ${file}: ${failureReason(error)}`);
    });
  }
  if (problems.length > 0) throw new UsageError(problems);
}
