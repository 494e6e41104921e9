/** A live fleet: configuration, plans, connections and the beat. Everything that needs SSH is behind this import. */
import { UsageError, type ReportFault } from "./errors.js";
import {
  fleetHosts,
  identify,
  withoutTwins,
  type PlanAgain,
  type PlannedTarget,
  type UnplannedTarget,
  type WatchedTarget,
} from "./fleet.js";
import type { Clock } from "./lib/clock.js";
import type { Options } from "./options.js";
import { watchFleet } from "./pipeline.js";
import type { StreamRecord } from "./record.js";
import { shimsToTry } from "./shims/registry.js";
import { loadConfig, type ConfigSource } from "./ssh/config/load.js";
import { localEnvironment } from "./ssh/config/local-environment.js";
import { planTarget } from "./ssh/plan-target.js";
import { createSshShared } from "./ssh/shared.js";
import { isLocalLimit } from "./ssh/system-failure.js";
import type { Target } from "./targets/target.js";

/** What of a run's options its hosts' stages go by. Plain data. */
export type WatchOptions = Pick<Options, "ssh" | "sample" | "intervalMs" | "length">;

export interface LiveFleet {
  readonly batches: AsyncGenerator<readonly StreamRecord[], void>;
  close(): void;
}

/**
 * Resolves every target before anything is connected. Throws ConfigError; what else is thrown for one target leaves that
 * one without a plan, and is reported.
 */
export async function planTargets(
  { ssh }: Pick<Options, "ssh">,
  targets: readonly Target[],
  env: Readonly<Record<string, string | undefined>>,
  fault: ReportFault,
): Promise<readonly (PlannedTarget | UnplannedTarget)[]> {
  const environment = localEnvironment(env);
  const config = await loadConfig(configSource(ssh.configFile), environment);
  const planned: (PlannedTarget | UnplannedTarget)[] = [];
  for (const target of targets) {
    try {
      planned.push({ target, plan: await planTarget(target, ssh, config, environment) });
    } catch (error) {
      if (error instanceof UsageError) throw error;
      if (!isLocalLimit(error)) fault(target.host, error);
      planned.push({ target, plan: null, localUser: environment.localUser });
    }
  }
  return planned;
}

function planningAgain({ ssh }: Pick<Options, "ssh">): PlanAgain {
  return async (target) => {
    // Threads have the environment of the process, too.
    const environment = localEnvironment(process.env);
    return planTarget(target, ssh, await loadConfig(configSource(ssh.configFile), environment), environment);
  };
}

/** The hosts to watch, each once. Connects to nothing. `warn` takes what may be wrong. Throws ConfigError. */
export async function planFleet(
  options: Pick<Options, "ssh">,
  targets: readonly Target[],
  env: Readonly<Record<string, string | undefined>>,
  warn: (message: string) => void,
  fault: ReportFault,
): Promise<readonly WatchedTarget[]> {
  const planned = withoutTwins(await planTargets(options, targets, env, fault), warn);
  const unchecked = planned.filter(({ plan }) => plan?.hostKeyPolicy === "no").length;
  if (unchecked > 0)
    warn(`HOST KEYS ARE NOT CHECKED for ${unchecked} hosts: anyone on the way can pose as them`);
  return identify(planned);
}

/** What a fleet needs of the thread that it runs on. */
export interface Surroundings {
  readonly clock: Clock;
  readonly random: () => number;
  /** When the run began, by the clock's monotonic time. */
  readonly beginMs: number;
  /** Takes what may be wrong. */
  readonly warn: (message: string) => void;
  /** Takes what is done on a host beside asking it. */
  readonly note: (message: string) => void;
  /** Takes what was thrown for a host and should not have been. */
  readonly fault: ReportFault;
}

/** The batches end soon after the signal aborts. */
export async function openFleet(
  options: WatchOptions,
  watched: readonly WatchedTarget[],
  surroundings: Surroundings,
  signal: AbortSignal,
): Promise<LiveFleet> {
  const { clock, random, beginMs, warn, note, fault } = surroundings;
  const shared = createSshShared(clock, options.ssh.concurrency, warn);
  const shims = await shimsToTry(options.sample.fallback);
  const { intervalMs, length } = options;
  const beatMs = length.kind === "once" ? null : intervalMs;
  const { ssh, sample } = options;
  const planAgain = planningAgain(options);
  const hosts = fleetHosts(watched, ssh, sample, shims, shared, beatMs, note, planAgain);
  return {
    batches: watchFleet(hosts, { intervalMs, length, beginMs, clock, random, fault }, signal),
    close: () => shared.agents.close(),
  };
}

function configSource(file: string | null): ConfigSource {
  if (file === null) return { kind: "default" };
  return file === "none" ? { kind: "none" } : { kind: "file", path: file };
}
