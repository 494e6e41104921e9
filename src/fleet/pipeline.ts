/** The pipeline in one view: hosts, each with its own timeline, merged into batches of records. */
import type { OperatorLog } from "../contract/operator-log.js";
import type { RunLength } from "../contract/options.js";
import type { StreamRecord } from "../contract/record.js";
import type { RuntimeDeps } from "../contract/runtime-deps.js";
import type { HostIdentity } from "../host/host-record.js";
import { Ticks } from "../host/ticks.js";
import type { HostWatchOptions } from "../host/timeline.js";
import { openWatch, type HostWatching } from "../host/watch.js";
import { LateSources, merge } from "../lib/merge.js";
import type { FleetChange } from "./fleet-change.js";

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

/** A fleet under watch. */
export interface FleetWatching {
  /** Every record of every host, in arrival order. Ends with the run's last tick, or soon after the signal aborts. */
  readonly batches: AsyncGenerator<readonly StreamRecord[], void>;
  /** `hosts` are the added ones. The others keep their connections and ticks. */
  change(change: Omit<FleetChange, "added">, hosts: readonly FleetHost[]): void;
}

export function watchFleet(
  hosts: readonly FleetHost[],
  options: FleetOptions,
  signal: AbortSignal,
): FleetWatching {
  const { clock, random, intervalMs } = options;
  const ticks = new Ticks(clock, intervalMs, options.length, options.beginMs);
  const isOnce = options.length.kind === "once";
  const watching = new Map<string, HostWatching>();
  const late = new LateSources<StreamRecord>();
  /** Of hosts that are removed and still being closed. */
  const ending = new Map<string, Promise<void>>();
  const open = (fleetHost: FleetHost, startDelayMs: number, firstTick: number): HostWatching => {
    const { identity: host, reach } = fleetHost;
    const onFault = (error: unknown): void => options.fault(host.hostId, error);
    const watchOptions = { host, reach, ticks, clock, startDelayMs, firstTick, isOnce, random, onFault };
    const watch = openWatch(watchOptions, signal);
    watching.set(host.hostId, watch);
    const earlier = ending.get(host.hostId);
    return earlier === undefined ? watch : { ...watch, records: afterwards(earlier, watch.records) };
  };
  const openAll = (all: readonly FleetHost[], firstTick: number): readonly HostWatching[] =>
    all.map((host, index) =>
      open(host, all.length > MAX_UNSTAGGERED_HOSTS ? index * STAGGER_MS : 0, firstTick),
    );
  const gathering = isOnce ? null : { clock, ms: Math.min(MAX_GATHER_MS, intervalMs * MAX_GATHER_PART) };
  const records = openAll(hosts, 0).map((watch) => watch.records);
  return {
    batches: merge(records, gathering, late),
    change({ removed, renamed }, added) {
      for (const { hostId, message } of removed) {
        const watch = watching.get(hostId);
        watching.delete(hostId);
        if (watch === undefined) continue;
        watch.remove(message);
        ending.set(hostId, watch.ended);
        void watch.ended.then(() => {
          if (ending.get(hostId) === watch.ended) ending.delete(hostId);
        });
      }
      for (const identity of renamed) watching.get(identity.hostId)?.rename(identity);
      for (const { records } of openAll(added, ticks.now())) late.add(records);
    },
  };
}

/** The records of a host that was removed and is watched again: its old connection is closed first. */
function afterwards(
  earlier: Promise<void>,
  records: AsyncIterableIterator<StreamRecord, void>,
): AsyncIterableIterator<StreamRecord, void> {
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      await earlier;
      return records.next();
    },
    return: async () => (await records.return?.()) ?? { done: true, value: undefined },
  };
}
