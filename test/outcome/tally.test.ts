import assert from "node:assert/strict";
import { test } from "node:test";
import { parseFailCondition } from "../../src/contract/fail-on.js";
import type { StreamRecord } from "../../src/contract/record.js";
import { frameRecord, stateRecord } from "../../src/host/host-record.js";
import { exitCodeOf, Tally } from "../../src/outcome/tally.js";

function host(name: string) {
  return { hostId: name, target: `ssh://${name}`, hostname: name, labels: {} };
}
const ROUTE = { transport: "linux", client: "ssh2", channel: "session" } as const;

function frame(name: string, temperature: number | null = 40, devices = 1): StreamRecord {
  const gpus = Array.from({ length: devices }, () => ({ temperature, detail: {} }) as never);
  return frameRecord(host(name), ROUTE, 0, 0, { sections: { gpus }, errors: [] }, 1);
}

function down(name: string): StreamRecord {
  return stateRecord(host(name), null, 0, 0, {
    state: "unreachable",
    previous: "connecting",
    attempt: 1,
    consecutiveFailures: 1,
    sinceMs: 0,
    retryInMs: null,
    lastError: { code: "connection-refused", phase: "dial", message: "refused" },
  });
}

function codeOf(records: readonly StreamRecord[], failOn: readonly string[] = []): number {
  const conditions = failOn.map((text) => {
    const parsed = parseFailCondition(text);
    assert(parsed.kind === "condition", text);
    return parsed.condition;
  });
  const tally = new Tally(conditions);
  for (const record of records) tally.take(record);
  return exitCodeOf([tally.counts]);
}

const CASES: readonly (readonly [string, readonly StreamRecord[], number])[] = [
  ["all fine", [frame("a"), frame("b")], 0],
  ["some failed", [frame("a"), down("b")], 3],
  ["all failed", [down("a"), down("b")], 4],
  ["no record at all", [], 4],
  ["a frame without a device is no data", [frame("a", 40, 0)], 4],
  ["the last record counts", [down("a"), frame("a")], 0],
  ["the last record counts, the other way", [frame("a"), down("a"), frame("b")], 3],
];
for (const [what, records, code] of CASES) {
  test(`exit ${code}: ${what}`, () => assert.equal(codeOf(records), code));
}

test("exit 5 when a condition held, whatever else failed", () => {
  assert.equal(codeOf([frame("a", 90), down("b")], ["gpu.temperature>85"]), 5);
  assert.equal(codeOf([frame("a", 80)], ["gpu.temperature>85"]), 0);
  assert.equal(codeOf([frame("a", null)], ["gpu.temperature>85"]), 0);
  assert.equal(codeOf([frame("a"), down("b")], ["state!=connected"]), 5);
});
