/** A live fleet: configuration, plans, connections and ticks. Everything that needs SSH is behind this import. */
import { hostErrorOf, UsageError, type ReportFault } from "../contract/errors.js";
import { isLocalLimit } from "../contract/local-limit.js";
import type { OperatorLog } from "../contract/operator-log.js";
import type { Options } from "../contract/options.js";
import type { StreamRecord } from "../contract/record.js";
import type { RuntimeDeps } from "../contract/runtime-deps.js";
import type { StepLog } from "../contract/step-log.js";
import type { Target } from "../contract/target.js";
import { cleanText } from "../lib/text.js";
import { shimsToTry } from "../shims/registry.js";
import type { ConfigEnvironment } from "../ssh/config/environment.js";
import { configSource, loadConfig, type LoadedConfig } from "../ssh/config/load.js";
import { localEnvironment } from "../ssh/config/local-environment.js";
import type { Names } from "../ssh/names/names.js";
import { planOrRefuse } from "../ssh/plan/plan-target.js";
import { connectTimeoutMs, nameToLookUp } from "../ssh/plan/plan.js";
import { closeSshShared, createSshShared, preloadSsh2 } from "../ssh/shared.js";
import { keptFacts } from "./kept-facts.js";
import type { FleetChange } from "./fleet-change.js";
import { fleetHosts, type HostsOptions, type PlanAgain } from "./hosts.js";
import {
  assignHostIds,
  dedupeTargets,
  type PlannedTarget,
  type UnplannedTarget,
  type WatchedTarget,
} from "./identity.js";
import { OpenFiles } from "./open-files.js";
import { watchFleet } from "./pipeline.js";
import { isOfShard } from "./shard.js";

/** The options of a run that the stages of its hosts need. Plain data. */
export type FleetSettings = Pick<Options, "ssh" | "sample" | "intervalMs" | "length" | "stepAreas"> & {
  /** Descriptors for its connections; absent or null: enough for all hosts. */
  readonly openFiles?: number | null;
};

export interface LiveFleet {
  readonly batches: AsyncGenerator<readonly StreamRecord[], void>;
  /** Hosts come, go and change their labels; the others keep their connections and ticks. */
  change(change: FleetChange): void;
  close(): Promise<void>;
}

/** What planning needs of this machine. */
export type PlanningDeps = Pick<RuntimeDeps, "env" | "clock"> & { readonly names: Names };

/**
 * Resolves every target before anything is connected. Throws ConfigError; any other exception leaves its one target
 * without a plan, and is reported. All targets at the same time: names whose lookup hangs (CanonicalizeHostname) then
 * cost one timeout together.
 */
export async function planTargets(
  options: Pick<Options, "ssh">,
  targets: readonly Target[],
  deps: PlanningDeps,
  fault: ReportFault,
): Promise<readonly (PlannedTarget | UnplannedTarget)[]> {
  return (await targetPlanner(options, deps, fault))(targets);
}

/** The same for targets that come in parts: the configuration is read once. */
export async function targetPlanner(
  { ssh }: Pick<Options, "ssh">,
  deps: PlanningDeps,
  fault: ReportFault,
): Promise<(targets: readonly Target[]) => Promise<readonly (PlannedTarget | UnplannedTarget)[]>> {
  const environment = environmentOf(ssh, deps);
  const config = await loadConfig(configSource(ssh.configFile), environment);
  return (targets) => planAll(targets, ssh, config, environment, fault);
}

async function planAll(
  targets: readonly Target[],
  ssh: Options["ssh"],
  config: LoadedConfig,
  environment: ConfigEnvironment,
  fault: ReportFault,
): Promise<readonly (PlannedTarget | UnplannedTarget)[]> {
  const outcomes = await Promise.allSettled(
    targets.map((target) => planOrRefuse(target, ssh, config, environment)),
  );
  const { localUser } = environment;
  // Where several targets have a ConfigError, the first one in the order of targets is thrown.
  return targets.map((target, index) => {
    const outcome = outcomes[index];
    if (outcome?.status === "fulfilled") {
      const plan = outcome.value;
      // The name may have an address later.
      const isLater = plan.refusal?.code === "dns-not-found";
      return isLater ? { target, plan: null, why: plan.refusal.message, localUser } : { target, plan };
    }
    const error: unknown = outcome?.reason;
    if (error instanceof UsageError) throw error;
    if (!isLocalLimit(error)) fault(target.host, error);
    return { target, plan: null, why: hostErrorOf(error, "resolve").message, localUser };
  });
}

function environmentOf(ssh: Options["ssh"], { env, clock, names }: PlanningDeps): ConfigEnvironment {
  const limitMs = (configuredSecs: number | null): number => connectTimeoutMs(ssh, configuredSecs);
  // A copy: the environment of a process is slow to read, and it can change.
  return localEnvironment({ ...env }, { names, clock, limitMs });
}

function planningAgain({ ssh }: Pick<Options, "ssh">, deps: Omit<PlanningDeps, "env">): PlanAgain {
  return async (target) => {
    // A worker thread has the environment of the process, too.
    const environment = environmentOf(ssh, { ...deps, env: process.env });
    const config = await loadConfig(configSource(ssh.configFile), environment);
    return planOrRefuse(target, ssh, config, environment);
  };
}

/** The hosts to watch, each once; of a shard, with the identity that they have in the whole fleet. Throws ConfigError. */
export async function planFleet(
  options: Pick<Options, "ssh"> & Partial<Pick<Options, "shard">>,
  targets: readonly Target[],
  deps: PlanningDeps,
  warn: (message: string) => void,
  fault: ReportFault,
): Promise<readonly WatchedTarget[]> {
  const planned = dedupeTargets(await planTargets(options, targets, deps, fault), warn);
  const unchecked = planned.filter(({ plan }) => plan?.hostKeyPolicy === "no").length;
  if (unchecked > 0)
    warn(`HOST KEYS ARE NOT CHECKED for ${unchecked} hosts: anyone on the network path can impersonate them`);
  const { shard = null } = options;
  const watched = assignHostIds(planned);
  if (shard === null) return watched;
  const own = watched.filter(({ target }) => isOfShard(target, shard));
  if (own.length === 0)
    warn(`shard ${shard.index}/${shard.count} has no host; the list has ${watched.length}`);
  return own;
}

/** The messages of a fleet. */
export type FleetLog = Pick<OperatorLog, "warn" | "debug" | "line" | "fault">;

/** What a fleet needs of the thread that it runs on. */
export interface FleetDeps extends Pick<RuntimeDeps, "clock" | "random">, FleetLog {
  /** Closed with the fleet. */
  readonly names: Names;
  /** When the run began, by the clock's monotonic time. */
  readonly beginMs: number;
}

/**
 * From this size on ssh2 is loaded before the first host is dialled. Where the sockets of a fleet have used up the
 * descriptors, Node.js cannot read the package, and it remembers that for the rest of the run. A smaller fleet loads it
 * while the network is waited for.
 */
const MIN_PRELOADED_HOSTS = 20;

/** The batches end soon after the signal aborts. */
export async function openFleet(
  settings: FleetSettings,
  watched: readonly WatchedTarget[],
  deps: FleetDeps,
  signal: AbortSignal,
): Promise<LiveFleet> {
  const { clock, random, names, beginMs, warn, debug, fault } = deps;
  const { ssh, sample, intervalMs, length, openFiles = null } = settings;
  // Its process starts while the rest is loaded.
  if (ssh.client !== "openssh" && watched.some(({ plan }) => plan !== null && nameToLookUp(plan) !== null))
    names.expect();
  const shared = createSshShared(clock, ssh.concurrency, warn, names, random);
  const loading =
    ssh.client !== "openssh" && watched.length >= MIN_PRELOADED_HOSTS ? preloadSsh2(shared) : null;
  const facts = keptFacts(sample, clock);
  const options: HostsOptions = {
    ssh,
    sample,
    shims: await shimsToTry(sample.fallback),
    intervalMs: length.kind === "once" ? null : intervalMs,
    debug,
    stepLogOf: (hostId) => stepLog(hostId, settings, deps),
    planAgain: planningAgain(settings, { clock, names }),
    openFiles: openFiles === null ? null : new OpenFiles(openFiles, length.kind === "once"),
    facts,
  };
  const hosts = fleetHosts(watched, options, shared);
  await loading;
  const fleet = watchFleet(hosts, { intervalMs, length, beginMs, clock, random, fault }, signal);
  return {
    batches: fleet.batches,
    change: (change) => fleet.change(change, fleetHosts(change.added, options, shared)),
    close: async () => {
      names.close();
      await Promise.all([closeSshShared(shared), facts?.close()]);
    },
  };
}

/** The step log of one host, with times since the run began; undefined where no area is asked for. */
function stepLog(
  hostId: string,
  { stepAreas }: FleetSettings,
  { clock, beginMs, line }: FleetDeps,
): StepLog | undefined {
  if (stepAreas.size === 0) return undefined;
  return (area, step) => {
    if (!stepAreas.has(area)) return;
    const secs = ((clock.nowMs() - beginMs) / 1000).toFixed(3);
    line(cleanText(`${hostId} +${secs}s ${area}: ${step}`));
  };
}
