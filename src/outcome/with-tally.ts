/** Counts the records that pass through, and logs them for `--verbose`. */
import type { Verbosity } from "../contract/options.js";
import type { StreamRecord } from "../contract/record.js";
import { mapEach } from "../lib/map-async.js";
import { cleanText } from "../lib/text.js";
import { Tally, type Counts, type TallyOptions } from "./tally.js";

/** Where the lines of a run go; null: nowhere. */
export interface TallyLog {
  readonly each: ((line: string) => void) | null;
  readonly held: ((line: string) => void) | null;
}

/** `line` prints a line for the operator. */
export function tallyLog(verbosity: Verbosity, line: (text: string) => void): TallyLog {
  return { each: verbosity === "verbose" ? line : null, held: verbosity === "quiet" ? null : line };
}

export interface Tallied {
  readonly batches: AsyncIterableIterator<readonly StreamRecord[], void>;
  /** The counts of the records that were pulled so far. */
  counts(): Counts;
  /** The same at the end of the run, with what is wrong. */
  summary(): Counts;
}

/**
 * `log.each` takes a line for each transition and failure, `log.held` one for each device that a condition holds for;
 * null: nothing is logged. A record in which conditions hold gets `held`. `unwritable` replaces a record whose inspection
 * throws.
 */
export function withTally(
  batches: AsyncIterable<readonly StreamRecord[]>,
  options: TallyOptions,
  log: TallyLog,
  unwritable?: (record: StreamRecord, error: unknown) => StreamRecord,
): Tallied {
  const tally = new Tally(options, log.held);
  const { each } = log;
  const inspect = (record: StreamRecord): StreamRecord => {
    const held = tally.take(record);
    if (each !== null) logLinesOf(record).forEach(each);
    return held.length === 0 ? record : { ...record, held };
  };
  return {
    batches: mapEach(batches, inspect, unwritable),
    counts: () => tally.counts,
    summary: () => tally.summary,
  };
}

/** A line for a transition or a final failure, and one for each error of a frame. */
function logLinesOf(record: StreamRecord): readonly string[] {
  const line = (message: string): string => cleanText(`${record.host_id}: ${message}`);
  if (record.record === "frame")
    return (record.errors ?? []).map((error) => line(`${error.section} ${error.kind}: ${error.message}`));
  if (record.tick !== null && record.retry_in_ms !== null) return [];
  const route = [record.transport, record.ssh_client, record.channel].filter(
    (part) => part !== undefined && part !== null,
  );
  const why =
    record.last_error === null ? route.join(", ") : `${record.last_error.code}: ${record.last_error.message}`;
  return [line(`${record.state}${why === "" ? "" : ` (${why})`}`)];
}
