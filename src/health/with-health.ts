/** The stage that judges: each record gets `health`. */
import type { HealthOptions } from "../contract/options.js";
import type { FrameRecord, StreamRecord } from "../contract/record.js";
import { mapEach } from "../lib/map-async.js";
import { HealthJudge } from "./judge.js";

/**
 * Records with `health`, in the same batches; unchanged where nothing is to be judged. `unwritable` replaces a record that
 * no rule can read.
 */
export function withHealth(
  batches: AsyncIterableIterator<readonly StreamRecord[], void>,
  options: HealthOptions | null,
  unwritable: (record: StreamRecord, error: unknown) => StreamRecord,
): AsyncIterableIterator<readonly StreamRecord[], void> {
  if (options === null) return batches;
  const judge = new HealthJudge(options);
  return mapEach(batches, (record) => judged(record, judge, options.eventsImplied), unwritable);
}

/** A kernel log that nobody asked for by name, and that cannot be read, is a finding and no failure of the host. */
function judged(record: StreamRecord, judge: HealthJudge, eventsImplied: boolean): StreamRecord {
  const health = judge.judge(record);
  if (record.record !== "frame" || !eventsImplied || record.errors === undefined)
    return { ...record, health };
  const errors = record.errors.filter(({ section }) => section !== "event");
  if (errors.length === record.errors.length) return { ...record, health };
  const rest: { -readonly [Key in keyof FrameRecord]: FrameRecord[Key] } = { ...record, health };
  if (errors.length === 0) delete rest.errors;
  else rest.errors = errors;
  return rest;
}
