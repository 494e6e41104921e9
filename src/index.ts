/**
 * The library: hosts and options in, records out, one at a time, as the command prints them in NDJSON.
 * It runs on the caller's thread and touches neither standard streams nor the exit code.
 */
import { setMaxListeners } from "node:events";
import type { StreamRecord } from "./contract/record.js";
import { insteadOf, type Unwritable } from "./format/unwritable.js";
import { withHealth } from "./health/with-health.js";
import { onAbort } from "./lib/abort.js";
import { realClock } from "./lib/clock.js";
import { healthOf, logTo, settingsOf, targetsOf } from "./library/read-options.js";
import type { HostToWatch, WatchOptions } from "./library/watch-options.js";
import { programsBeside } from "./run/programs.js";
import { openHere } from "./sources/live-hosts.js";

export { UsageError } from "./contract/errors.js";
export { expandCompact } from "./contract/expand-compact.js";
export type { Finding, Health, HealthStatus, Severity } from "./contract/health.js";
export type { Held } from "./contract/held.js";
export type {
  Chassis,
  CoreUtilization,
  Cpu,
  CpuSocket,
  DeviceLabels,
  Disk,
  Envelope,
  FailureCode,
  Fan,
  FrameRecord,
  Gpu,
  Host,
  HostState,
  LastError,
  Memory,
  MigInstance,
  NetworkPort,
  NumaNode,
  Pressure,
  Process,
  Section,
  SectionError,
  SkippedTicks,
  StateRecord,
  Storage,
  StreamRecord,
} from "./contract/record.js";

export type { HostToWatch, WatchOptions } from "./library/watch-options.js";

/**
 * Watches hosts: for every tick and host exactly one record with that `tick`, and transitions between them, in order of
 * arrival. What goes wrong on a host is a state record and never an error. Throws UsageError, with every problem, for
 * wrong options and hosts, before anything is connected. Leaving the loop early closes every connection.
 */
export async function* watch(
  hosts: readonly HostToWatch[],
  options: WatchOptions = {},
): AsyncGenerator<StreamRecord, void> {
  const targets = targetsOf(hosts);
  const health = healthOf(options);
  const settings = await settingsOf(options, health);
  const stopper = new AbortController();
  // Every host has a listener on it while it is watched.
  setMaxListeners(0, stopper.signal);
  const stop = (): void => stopper.abort();
  const stopListening = options.signal === undefined ? null : onAbort(options.signal, stop);
  const deps = {
    env: options.env ?? process.env,
    clock: realClock,
    random: Math.random,
    programs: programsBeside(import.meta.url),
  };
  try {
    const log = logTo(options.onMessage);
    const unwritable: Unwritable = (record, error) => {
      log.fault(record.host_id, error);
      return insteadOf(record, error, options.ticks === "once");
    };
    const stream = await openHere(settings, targets, deps, log, stopper.signal);
    try {
      for await (const batch of withHealth(stream.batches, health, unwritable)) yield* batch;
    } finally {
      stop();
      await stream.close();
    }
  } catch (error) {
    if (!stopper.signal.aborted || error !== stopper.signal.reason) throw error;
  } finally {
    stopListening?.();
  }
}

export interface HostlistOptions {
  /** Whose `Host` entries a pattern such as `gpu-*` means; `none`: those of no file. Default: those that ssh reads. */
  readonly configFile?: string;
  /** Environment for ssh_config and ClusterShell's groups. Default: that of the process. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/**
 * The hosts of a hostlist, as `--ssh` takes it: `dgx-[01-16],^dgx-05`, `@group`, `gpu-*`. Each is for `watch`, and there
 * once. Rejects with UsageError, with every problem. `watch` itself takes single hosts only.
 */
export async function expandHostlist(
  hostlist: string,
  { configFile, env = process.env }: HostlistOptions = {},
): Promise<readonly string[]> {
  const { hostsOfList } = await import("./cli/hosts-of-list.js");
  return await hostsOfList(hostlist, env, configFile ?? null);
}
