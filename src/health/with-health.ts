/** The stage that judges: each record gets `health`. */
import type { HealthOptions } from "../contract/options.js";
import type { StreamRecord } from "../contract/record.js";
import { mapAsync } from "../lib/map-async.js";
import { HealthJudge } from "./judge.js";

/** Records with `health`, in the same batches; unchanged where nothing is to be judged. */
export function withHealth(
  batches: AsyncIterableIterator<readonly StreamRecord[], void>,
  options: HealthOptions | null,
): AsyncIterableIterator<readonly StreamRecord[], void> {
  if (options === null) return batches;
  const judge = new HealthJudge(options);
  return mapAsync(batches, (batch) => batch.map((record) => ({ ...record, health: judge.judge(record) })));
}
