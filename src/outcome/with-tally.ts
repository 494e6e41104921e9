/** Counts the records that pass through, and logs what changes with them. */
import type { HostChangeLines } from "../contract/operator-log.js";
import type { Verbosity } from "../contract/options.js";
import type { StreamRecord } from "../contract/record.js";
import { mapEach } from "../lib/map-async.js";
import { HostChanges } from "./host-changes.js";
import { Tally, type Counts, type TallyOptions } from "./tally.js";

/** Where the lines of a run go; null: nowhere. */
export interface TallyLog {
  readonly changes: HostChanges | null;
  readonly held: ((line: string) => void) | null;
}

/** `line` prints a line for the operator; `changes`: which of them are about hosts. */
export function tallyLog(
  verbosity: Verbosity,
  changes: HostChangeLines | null,
  line: (text: string) => void,
): TallyLog {
  return {
    changes: changes === null ? null : new HostChanges(changes, line),
    held: verbosity === "quiet" ? null : line,
  };
}

export interface Tallied {
  readonly batches: AsyncIterableIterator<readonly StreamRecord[], void>;
  /** The counts of the records that were pulled so far. */
  counts(): Counts;
  /** The same at the end of the run, with what is wrong. Logs the lines about hosts that still wait. */
  summary(): Counts;
  /** Names, at most `max`, of those hosts that have no outcome yet. */
  awaited(hosts: ReadonlyMap<string, string>, max: number): readonly string[];
}

/**
 * `log.changes` takes each record, `log.held` a line for each device that a condition holds for; null: nothing is logged. A
 * record in which conditions hold gets `held`. `unwritable` replaces a record whose inspection throws.
 */
export function withTally(
  batches: AsyncIterable<readonly StreamRecord[]>,
  options: TallyOptions,
  log: TallyLog,
  unwritable?: (record: StreamRecord, error: unknown) => StreamRecord,
): Tallied {
  const tally = new Tally(options, log.held, log.changes);
  const inspect = (record: StreamRecord): StreamRecord => {
    const held = tally.take(record);
    return held.length === 0 ? record : { ...record, held };
  };
  return {
    batches: mapEach(batches, inspect, unwritable),
    counts: () => tally.counts,
    awaited: (hosts, max) => tally.awaited(hosts, max),
    summary: () => {
      log.changes?.end();
      return tally.summary;
    },
  };
}
