import assert from "node:assert/strict";
import { test } from "node:test";
import type { Sections } from "../../src/contract/record.js";
import { frameRecord, stateRecord } from "../../src/host/host-record.js";

const HOST = {
  hostId: "u@10.0.0.1:22",
  target: "ssh://u@gpu-01",
  hostname: "gpu-01",
  labels: { rack: "a1" },
};
const ROUTE = { transport: "native", client: "ssh2", channel: "session" } as const;
const NOON = Date.UTC(2026, 0, 1, 12);

test("a frame: the envelope first, every device under this record's labels, no errors key without errors", () => {
  const sections = {
    gpus: [{ index: 0, host_id: "local", hostname: "local", time: "then" }],
    memory: [{ index: 0, total_bytes: 1 }],
  } as unknown as Sections;
  const frame = frameRecord(HOST, ROUTE, NOON, 3, { sections, errors: [] }, 12.345);
  assert.deepEqual(Object.keys(frame).slice(0, 5), ["schema", "record", "timestamp", "tick", "host_id"]);
  assert.equal(frame.timestamp, "2026-01-01T12:00:00.000Z");
  assert.equal(frame.latency_ms, 12.3);
  const labels = {
    host_id: "u@10.0.0.1:22",
    hostname: "gpu-01",
    instance: "gpu-01",
    time: "2026-01-01T12:00:00.000Z",
  };
  assert.deepEqual(frame.gpus, [{ index: 0, ...labels }]);
  assert.deepEqual(frame.memory, [{ index: 0, total_bytes: 1, ...labels }]);
  assert.ok(!("errors" in frame));
  assert.ok(!("cpus" in frame));
});

test("sections that this program does not know are passed on, relabelled", () => {
  const sections = { vgpus: [{ gpu_index: 0, host_id: "local" }], version: "1.2" } as unknown as Sections;
  const frame: object = frameRecord(HOST, ROUTE, NOON, 0, { sections, errors: [] }, 1);
  const { vgpus, version } = frame as { vgpus: { host_id: string; gpu_index: number }[]; version: string };
  assert.equal(vgpus[0]?.host_id, "u@10.0.0.1:22");
  assert.equal(vgpus[0].gpu_index, 0);
  assert.equal(version, "1.2");
});

test("a state record has the transition, its time and the next attempt", () => {
  const record = stateRecord(HOST, null, NOON, null, {
    state: "timeout",
    previous: "connecting",
    attempt: 2,
    consecutiveFailures: 2,
    sinceMs: NOON - 1000,
    retryInMs: 1500,
    lastError: { code: "connect-timeout", phase: "dial", message: "no answer" },
  });
  assert.deepEqual(record, {
    schema: 1,
    record: "state",
    timestamp: "2026-01-01T12:00:00.000Z",
    tick: null,
    host_id: "u@10.0.0.1:22",
    target: "ssh://u@gpu-01",
    hostname: "gpu-01",
    labels: { rack: "a1" },
    transport: null,
    state: "timeout",
    previous_state: "connecting",
    attempt: 2,
    consecutive_failures: 2,
    since: "2026-01-01T11:59:59.000Z",
    retry_in_ms: 1500,
    last_error: { code: "connect-timeout", phase: "dial", message: "no answer" },
  });
});
