/** A live fleet: configuration, plans, connections and the beat. Everything that needs SSH is behind this import. */
import { fleetHosts, withoutTwins, type PlannedTarget } from "./fleet.js";
import type { Clock } from "./lib/clock.js";
import type { Options } from "./options.js";
import { watchFleet } from "./pipeline.js";
import type { StreamRecord } from "./record.js";
import { shimsToTry } from "./shims/registry.js";
import { loadConfig, type ConfigSource } from "./ssh/config/load.js";
import { localEnvironment } from "./ssh/config/local-environment.js";
import { planTarget } from "./ssh/plan-target.js";
import { createSshShared } from "./ssh/shared.js";
import type { Target } from "./targets/target.js";

export interface LiveFleet {
  readonly batches: AsyncGenerator<readonly StreamRecord[], void>;
  readonly hostCount: number;
  close(): Promise<void>;
}

/** Resolves every target before anything is connected. Throws ConfigError. */
export async function planTargets(
  options: Options,
  targets: readonly Target[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<readonly PlannedTarget[]> {
  const environment = localEnvironment(env);
  const config = await loadConfig(configSource(options.ssh.configFile), environment);
  const planned: PlannedTarget[] = [];
  for (const target of targets)
    planned.push({ target, plan: await planTarget(target, options.ssh, config, environment) });
  return planned;
}

/**
 * Throws ConfigError before anything is connected. The batches end soon after the signal aborts. `warn` takes what may
 * be wrong, `note` what is done.
 */
export async function openFleet(
  options: Options,
  targets: readonly Target[],
  world: {
    readonly env: Readonly<Record<string, string | undefined>>;
    readonly clock: Clock;
    readonly random: () => number;
  },
  warn: (message: string) => void,
  note: (message: string) => void,
  signal: AbortSignal,
): Promise<LiveFleet> {
  const planned = withoutTwins(await planTargets(options, targets, world.env), warn);
  const unchecked = planned.filter(({ plan }) => plan.hostKeyPolicy === "no").length;
  if (unchecked > 0)
    warn(`HOST KEYS ARE NOT CHECKED for ${unchecked} hosts: anyone on the way can pose as them`);
  const shared = createSshShared(world.clock, options.ssh.concurrency, warn);
  const shims = await shimsToTry(options.sample.fallback);
  const { intervalMs, length } = options;
  const beatMs = length.kind === "once" ? null : intervalMs;
  const hosts = fleetHosts(planned, options.ssh, options.sample, shims, shared, beatMs, note);
  const { clock, random } = world;
  return {
    batches: watchFleet(hosts, { intervalMs, length, clock, random }, signal),
    hostCount: hosts.length,
    close: () => {
      shared.agents.close();
      return Promise.resolve();
    },
  };
}

function configSource(file: string | null): ConfigSource {
  if (file === null) return { kind: "default" };
  return file === "none" ? { kind: "none" } : { kind: "file", path: file };
}
