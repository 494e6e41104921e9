/** A live fleet: configuration, plans, connections and the beat. Everything that needs SSH is behind this import. */
import { hostErrorOf, UsageError, type ReportFault } from "../contract/errors.js";
import { isLocalLimit } from "../contract/local-limit.js";
import type { Options } from "../contract/options.js";
import type { StreamRecord } from "../contract/record.js";
import type { Target } from "../contract/target.js";
import type { Clock } from "../lib/clock.js";
import { shimsToTry } from "../shims/registry.js";
import type { ConfigEnvironment } from "../ssh/config/environment.js";
import { loadConfig, type ConfigSource } from "../ssh/config/load.js";
import { localEnvironment } from "../ssh/config/local-environment.js";
import type { Names } from "../ssh/names/names.js";
import { planOrRefuse } from "../ssh/plan/plan-target.js";
import { connectTimeoutMs, nameToLookUp } from "../ssh/plan/plan.js";
import { createSshShared } from "../ssh/shared.js";
import { fleetHosts, type PlanAgain } from "./hosts.js";
import {
  assignHostIds,
  dedupeTargets,
  type PlannedTarget,
  type UnplannedTarget,
  type WatchedTarget,
} from "./identity.js";
import { watchFleet } from "./pipeline.js";

/** What of a run's options its hosts' stages go by. Plain data. */
export type FleetSettings = Pick<Options, "ssh" | "sample" | "intervalMs" | "length">;

export interface LiveFleet {
  readonly batches: AsyncGenerator<readonly StreamRecord[], void>;
  close(): void;
}

/** What planning asks of this machine. */
export interface PlanningDeps {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly names: Names;
}

/**
 * Resolves every target before anything is connected. Throws ConfigError; what else is thrown for one target leaves that
 * one without a plan, and is reported. Side by side, so that names that hang do so at the same time
 * (CanonicalizeHostname).
 */
export async function planTargets(
  { ssh }: Pick<Options, "ssh">,
  targets: readonly Target[],
  deps: PlanningDeps,
  fault: ReportFault,
): Promise<readonly (PlannedTarget | UnplannedTarget)[]> {
  const environment = environmentOf(ssh, deps);
  const config = await loadConfig(configSource(ssh.configFile), environment);
  const outcomes = await Promise.allSettled(
    targets.map((target) => planOrRefuse(target, ssh, config, environment)),
  );
  const { localUser } = environment;
  // Of several errors the first in the targets' order, however long each took.
  return targets.map((target, at) => {
    const outcome = outcomes[at];
    if (outcome?.status === "fulfilled") {
      const plan = outcome.value;
      // A name may have an address later.
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
  return localEnvironment(env, { names, clock, limitMs });
}

function planningAgain({ ssh }: Pick<Options, "ssh">, deps: Omit<PlanningDeps, "env">): PlanAgain {
  return async (target) => {
    // Threads have the environment of the process, too.
    const environment = environmentOf(ssh, { ...deps, env: process.env });
    return planOrRefuse(
      target,
      ssh,
      await loadConfig(configSource(ssh.configFile), environment),
      environment,
    );
  };
}

/** The hosts to watch, each once. Connects to nothing. `warn` takes what may be wrong. Throws ConfigError. */
export async function planFleet(
  options: Pick<Options, "ssh">,
  targets: readonly Target[],
  deps: PlanningDeps,
  warn: (message: string) => void,
  fault: ReportFault,
): Promise<readonly WatchedTarget[]> {
  const planned = dedupeTargets(await planTargets(options, targets, deps, fault), warn);
  const unchecked = planned.filter(({ plan }) => plan?.hostKeyPolicy === "no").length;
  if (unchecked > 0)
    warn(`HOST KEYS ARE NOT CHECKED for ${unchecked} hosts: anyone on the way can pose as them`);
  return assignHostIds(planned);
}

/** What a fleet needs of the thread that it runs on. */
export interface FleetDeps {
  readonly clock: Clock;
  readonly random: () => number;
  /** Closed with the fleet. */
  readonly names: Names;
  /** When the run began, by the clock's monotonic time. */
  readonly beginMs: number;
  /** Takes what may be wrong. */
  readonly warn: (message: string) => void;
  /** Takes what is done on a host beside asking it. */
  readonly debug: (message: string) => void;
  /** Takes what was thrown for a host and should not have been. */
  readonly fault: ReportFault;
}

/** The batches end soon after the signal aborts. */
export async function openFleet(
  options: FleetSettings,
  watched: readonly WatchedTarget[],
  deps: FleetDeps,
  signal: AbortSignal,
): Promise<LiveFleet> {
  const { clock, random, names, beginMs, warn, debug, fault } = deps;
  // Its process starts while the rest is loaded.
  if (
    options.ssh.client !== "openssh" &&
    watched.some(({ plan }) => plan !== null && nameToLookUp(plan) !== null)
  )
    names.expect();
  const shared = createSshShared(clock, options.ssh.concurrency, warn, names, random);
  const shims = await shimsToTry(options.sample.fallback);
  const { intervalMs, length } = options;
  const tickIntervalMs = length.kind === "once" ? null : intervalMs;
  const { ssh, sample } = options;
  const planAgain = planningAgain(options, { clock, names });
  const hosts = fleetHosts(watched, ssh, sample, shims, shared, tickIntervalMs, debug, planAgain);
  return {
    batches: watchFleet(hosts, { intervalMs, length, beginMs, clock, random, fault }, signal),
    close: () => {
      shared.agents.close();
      names.close();
    },
  };
}

function configSource(file: string | null): ConfigSource {
  if (file === null) return { kind: "default" };
  return file === "none" ? { kind: "none" } : { kind: "file", path: file };
}
