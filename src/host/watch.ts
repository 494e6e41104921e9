/** Opens the watch of one host: its records, and what may change about it meanwhile. */
import type { StreamRecord } from "../contract/record.js";
import { EventRecords, Inbox } from "./event-records.js";
import type { HostIdentity } from "./host-record.js";
import { ReaderStall } from "./reader-stall.js";
import { HostTimeline, type HostWatchOptions, type TimelineEvent } from "./timeline.js";

/** One host under watch, and what may change about it meanwhile. */
export interface HostWatching {
  readonly records: AsyncIterableIterator<StreamRecord, void>;
  /** Settles when the last record was taken and the connection is closed. */
  readonly ended: Promise<void>;
  /** The records from now on have this identity; the connection stays. */
  rename(host: HostIdentity): void;
  /** Ends the watch with a last record, which has this message. */
  remove(message: string): void;
}

/**
 * The host's records until the run's last tick, or until `signal` aborts. Resumed only after the last record was consumed:
 * ticks that pass meanwhile are skipped. An exception that concerns the host becomes a state of the host.
 */
export function watchHost(
  options: HostWatchOptions,
  signal: AbortSignal,
): AsyncIterableIterator<StreamRecord, void> {
  return openWatch(options, signal).records;
}

/** The same, of a host that may be renamed or removed. */
export function openWatch(options: HostWatchOptions, signal: AbortSignal): HostWatching {
  const { clock, ticks } = options;
  const inbox = new Inbox<TimelineEvent>();
  const stall = new ReaderStall(clock, ticks);
  const timeline = new HostTimeline(options, signal, inbox, stall);
  return {
    records: new EventRecords(timeline, inbox, stall),
    ended: timeline.ended,
    rename: (host) => timeline.rename(host),
    remove: (message) => inbox.put({ kind: "removed", message }),
  };
}
