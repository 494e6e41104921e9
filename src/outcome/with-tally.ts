/** Counts the records that pass through, and logs them for `--verbose`. */
import type { FailCondition } from "../contract/fail-on.js";
import type { StreamRecord } from "../contract/record.js";
import type { Unwritable } from "../format/unwritable.js";
import { mapAsync } from "../lib/map-async.js";
import { cleanText } from "../lib/text.js";
import { Tally, type Counts } from "./tally.js";

export interface Tallied {
  readonly batches: AsyncIterableIterator<readonly StreamRecord[], void>;
  /** The counts of the records that were pulled so far. */
  counts(): Counts;
}

/**
 * `logLine` takes a line for each transition and failure; null: nothing is logged. `unwritable` replaces a record whose
 * inspection throws.
 */
export function withTally(
  batches: AsyncIterable<readonly StreamRecord[]>,
  failOn: readonly FailCondition[],
  logLine: ((line: string) => void) | null,
  unwritable?: Unwritable,
): Tallied {
  const tally = new Tally(failOn);
  const inspect = (record: StreamRecord): void => {
    tally.take(record);
    if (logLine !== null) logLinesOf(record).forEach(logLine);
  };
  return {
    batches: mapAsync(batches, (batch) => {
      let replaced: StreamRecord[] | null = null;
      for (const [index, record] of batch.entries()) {
        try {
          inspect(record);
        } catch (error) {
          if (unwritable === undefined) throw error;
          replaced ??= [...batch];
          replaced[index] = unwritable(record, error);
          inspect(replaced[index]);
        }
      }
      return replaced ?? batch;
    }),
    counts: () => tally.counts,
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
