/** Records on their way to where they are written: counted, and for `--verbose` told in words. */
import type { FailCondition } from "../contract/fail-on.js";
import type { StreamRecord } from "../contract/record.js";
import type { Unwritable } from "../format/unwritable.js";
import { mapAsync } from "../lib/map-async.js";
import { cleanText } from "../lib/text.js";
import { Tally, type Counts } from "./tally.js";

export interface Tallied {
  readonly batches: AsyncIterableIterator<readonly StreamRecord[], void>;
  /** What the records that were pulled so far have come to. */
  counts(): Counts;
}

/**
 * `say` takes a line for the operator for each change and failure; null: nothing is told. `unwritable` replaces a record
 * that cannot be looked at.
 */
export function withTally(
  batches: AsyncIterable<readonly StreamRecord[]>,
  failOn: readonly FailCondition[],
  logLine: ((line: string) => void) | null,
  unwritable?: Unwritable,
): Tallied {
  const tally = new Tally(failOn);
  const look = (record: StreamRecord): void => {
    tally.take(record);
    if (logLine !== null) logLinesOf(record).forEach(logLine);
  };
  return {
    batches: mapAsync(batches, (batch) => {
      let sound: StreamRecord[] | null = null;
      for (const [position, record] of batch.entries()) {
        try {
          look(record);
        } catch (error) {
          if (unwritable === undefined) throw error;
          sound ??= [...batch];
          sound[position] = unwritable(record, error);
          look(sound[position]);
        }
      }
      return sound ?? batch;
    }),
    counts: () => tally.counts,
  };
}

/** Transitions, and frames that say of something that it failed. */
function logLinesOf(record: StreamRecord): readonly string[] {
  const line = (words: string): string => cleanText(`${record.host_id}: ${words}`);
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
