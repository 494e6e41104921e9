/** The pipeline in one view: hosts, each with its own timeline, merged into batches of records. */
import type { OperatorLog } from "../contract/operator-log.js";
import type { RunLength } from "../contract/options.js";
import type { StreamRecord } from "../contract/record.js";
import type { RuntimeDeps } from "../contract/runtime-deps.js";
import type { HostIdentity } from "../host/host-record.js";
import { Ticks } from "../host/ticks.js";
import { watchHost, type HostWatchOptions } from "../host/watch.js";
import { merge } from "../lib/merge.js";

export interface FleetHost {
  readonly identity: HostIdentity;
  readonly reach: HostWatchOptions["reach"];
}

export interface FleetOptions extends Pick<RuntimeDeps, "clock" | "random">, Pick<OperatorLog, "fault"> {
  readonly intervalMs: number;
  readonly length: RunLength;
  /** When the run began, by the clock's monotonic time. */
  readonly beginMs: number;
}

/** Fleets up to this size dial at once; the hosts of a larger one start this far apart. */
const MAX_UNSTAGGERED_HOSTS = 50;
const STAGGER_MS = 5;
/** How long a record may wait for others, to be written with them: a write costs as much as making a record. */
const MAX_GATHER_MS = 20;
/** The same, as a part of the interval. */
const MAX_GATHER_PART = 1 / 20;

/** Every record of every host, in arrival order. Ends with the run's last tick, or soon after `signal` aborts. */
export function watchFleet(
  hosts: readonly FleetHost[],
  options: FleetOptions,
  signal: AbortSignal,
): AsyncGenerator<readonly StreamRecord[], void> {
  const ticks = new Ticks(options.clock, options.intervalMs, options.length, options.beginMs);
  const isOnce = options.length.kind === "once";
  return merge(
    hosts.map((host, index) =>
      watchHost(
        {
          host: host.identity,
          reach: host.reach,
          ticks,
          clock: options.clock,
          startDelayMs: hosts.length > MAX_UNSTAGGERED_HOSTS ? index * STAGGER_MS : 0,
          isOnce,
          random: options.random,
          onFault: (error) => options.fault(host.identity.hostId, error),
        },
        signal,
      ),
    ),
    isOnce
      ? null
      : { clock: options.clock, ms: Math.min(MAX_GATHER_MS, options.intervalMs * MAX_GATHER_PART) },
  );
}
