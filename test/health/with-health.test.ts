import assert from "node:assert/strict";
import { test } from "node:test";
import type { StreamRecord } from "../../src/contract/record.js";
import { insteadOf } from "../../src/format/unwritable.js";
import { withHealth } from "../../src/health/with-health.js";
import { frame, gpu } from "../support/records.js";

const rethrow = (_: StreamRecord, error: unknown): StreamRecord => {
  throw error;
};

async function* one(batch: readonly StreamRecord[]): AsyncGenerator<readonly StreamRecord[], void> {
  await Promise.resolve();
  yield batch;
}
const RULES = { rules: true, expectations: [], eventsImplied: false };

test("a record that the rules cannot read becomes its host's state, and the others are judged", async () => {
  // A recording may lack a field that every frame of ours has.
  const broken = {
    ...frame({ hostname: "broken" }),
    gpus: [{ ...gpu(), detail: undefined }],
  } as unknown as StreamRecord;
  const faults: string[] = [];
  const unwritable = (record: StreamRecord, error: unknown): StreamRecord => {
    faults.push(record.hostname);
    return insteadOf(record, error, true);
  };
  const records: StreamRecord[] = [];
  const batch = [frame({ hostname: "a", gpus: [gpu()] }), broken, frame({ hostname: "c", gpus: [gpu()] })];
  for await (const judged of withHealth(one(batch), RULES, unwritable)) records.push(...judged);
  assert.deepEqual(
    records.map(({ hostname, record, health }) => [hostname, record, health?.status]),
    [
      ["a", "frame", "ok"],
      ["broken", "state", "critical"],
      ["c", "frame", "ok"],
    ],
  );
  assert.deepEqual(faults, ["broken"]);
});

test("nothing to judge: the same batches", async () => {
  const batch = [frame()];
  for await (const judged of withHealth(one(batch), null, rethrow)) assert.equal(judged, batch);
});
