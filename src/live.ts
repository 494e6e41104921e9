/** A live fleet: configuration, plans, connections and the beat. Everything that needs SSH is behind this import. */
import { fleetHosts, identify, withoutTwins, type PlannedTarget, type WatchedTarget } from "./fleet.js";
import type { Clock } from "./lib/clock.js";
import type { Options } from "./options.js";
import { watchFleet } from "./pipeline.js";
import type { StreamRecord } from "./record.js";
import { shimsToTry } from "./shims/registry.js";
import { loadConfig, type ConfigSource } from "./ssh/config/load.js";
import { localEnvironment } from "./ssh/config/local-environment.js";
import { planOrRefuse } from "./ssh/plan-target.js";
import { createSshShared } from "./ssh/shared.js";
import type { Target } from "./targets/target.js";

/** What of a run's options its hosts' stages go by. Plain data. */
export type WatchOptions = Pick<Options, "ssh" | "sample" | "intervalMs" | "length">;

export interface LiveFleet {
  readonly batches: AsyncGenerator<readonly StreamRecord[], void>;
  close(): void;
}

/** Resolves every target before anything is connected. Throws ConfigError. */
export async function planTargets(
  { ssh }: Pick<Options, "ssh">,
  targets: readonly Target[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<readonly PlannedTarget[]> {
  const environment = localEnvironment(env);
  const config = await loadConfig(configSource(ssh.configFile), environment);
  const planned: PlannedTarget[] = [];
  for (const target of targets)
    planned.push({ target, plan: await planOrRefuse(target, ssh, config, environment) });
  return planned;
}

/** The hosts to watch, each once. Connects to nothing. `warn` takes what may be wrong. Throws ConfigError. */
export async function planFleet(
  options: Pick<Options, "ssh">,
  targets: readonly Target[],
  env: Readonly<Record<string, string | undefined>>,
  warn: (message: string) => void,
): Promise<readonly WatchedTarget[]> {
  const planned = withoutTwins(await planTargets(options, targets, env), warn);
  const unchecked = planned.filter(({ plan }) => plan.hostKeyPolicy === "no").length;
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
}

/** The batches end soon after the signal aborts. */
export async function openFleet(
  options: WatchOptions,
  watched: readonly WatchedTarget[],
  surroundings: Surroundings,
  signal: AbortSignal,
): Promise<LiveFleet> {
  const { clock, random, beginMs, warn, note } = surroundings;
  const shared = createSshShared(clock, options.ssh.concurrency, warn);
  const shims = await shimsToTry(options.sample.fallback);
  const { intervalMs, length } = options;
  const beatMs = length.kind === "once" ? null : intervalMs;
  const hosts = fleetHosts(watched, options.ssh, options.sample, shims, shared, beatMs, note);
  return {
    batches: watchFleet(hosts, { intervalMs, length, beginMs, clock, random }, signal),
    close: () => shared.agents.close(),
  };
}

function configSource(file: string | null): ConfigSource {
  if (file === null) return { kind: "default" };
  return file === "none" ? { kind: "none" } : { kind: "file", path: file };
}
