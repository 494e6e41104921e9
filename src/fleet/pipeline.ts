/** The pipeline in one view: hosts, each on its own timeline, merged into batches of records. */
import type { ReportFault } from "../contract/errors.js";
import type { RunLength } from "../contract/options.js";
import type { StreamRecord } from "../contract/record.js";
import type { HostIdentity } from "../host/host-record.js";
import { Ticks } from "../host/ticks.js";
import { watchHost, type HostWatchOptions } from "../host/watch.js";
import type { Clock } from "../lib/clock.js";
import { merge } from "../lib/merge.js";

export interface FleetHost {
  readonly identity: HostIdentity;
  readonly reach: HostWatchOptions["reach"];
}

export interface FleetOptions {
  readonly intervalMs: number;
  readonly length: RunLength;
  /** When the run began, by the clock's monotonic time. */
  readonly beginMs: number;
  readonly clock: Clock;
  readonly random: () => number;
  /** Takes what was thrown for a host and should not have been. */
  readonly fault: ReportFault;
}

/** Fleets up to this size dial at once; the hosts of a larger one start this far apart. */
const UNSTAGGERED_HOSTS = 50;
const STAGGER_MS = 5;
/** How long a record waits at most for others that are written with it: a write each would cost as much as the record. */
const GATHER_MS = 20;
/** The wait's part of an interval at most. */
const GATHER_PART = 1 / 20;

/** Every record of every host, in arrival order. Ends with the run's last tick, or soon after `signal` aborts. */
export function watchFleet(
  hosts: readonly FleetHost[],
  options: FleetOptions,
  signal: AbortSignal,
): AsyncGenerator<readonly StreamRecord[], void> {
  const ticks = new Ticks(options.clock, options.intervalMs, options.length, options.beginMs);
  const isOnce = options.length.kind === "once";
  return merge(
    hosts.map((host, position) =>
      watchHost(
        {
          host: host.identity,
          reach: host.reach,
          ticks,
          clock: options.clock,
          startDelayMs: hosts.length > UNSTAGGERED_HOSTS ? position * STAGGER_MS : 0,
          isOnce,
          random: options.random,
          onFault: (error) => options.fault(host.identity.hostId, error),
        },
        signal,
      ),
    ),
    isOnce ? null : { clock: options.clock, ms: Math.min(GATHER_MS, options.intervalMs * GATHER_PART) },
  );
}
