import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Health } from "../../src/contract/health.js";
import type { StreamRecord } from "../../src/contract/record.js";
import { outcomeOf, type HostOutcome } from "../../src/outcome/host-outcome.js";
import { frame, gpu, state } from "../support/records.js";

const failed = gpu({ index: 3, error: "GPU is lost" });
const mismatch = { section: "gpu", kind: "error", message: "NVML mismatch" } as const;

const overrun = {
  code: "sample-overrun",
  phase: "sample",
  message: "the last reading is still under way",
} as const;
const sick: Health = {
  status: "warning",
  findings: [
    {
      rule: "nvidia-row-remap-pending",
      severity: "warning",
      device: "gpu 3",
      message: "a row of memory waits to be remapped",
      action: "reset the GPU",
      since: "2026-01-02T03:04:05.678Z",
    },
  ],
};

describe("what a host's last record comes to", () => {
  const cases: [name: string, record: StreamRecord, expected: HostOutcome][] = [
    ["a frame with readings", frame({ gpus: [gpu()] }), { kind: "ok" }],
    ["a frame of a host without GPUs", frame({ gpus: [] }), { kind: "ok" }],
    [
      "a frame whose readings are null",
      frame({ gpus: [gpu({ temperature: null, utilization: null })] }),
      { kind: "ok" },
    ],
    [
      "a frame with errors alone",
      frame({ errors: [mismatch] }),
      { kind: "errors", reason: "gpu: NVML mismatch" },
    ],
    [
      "a frame with readings and errors",
      frame({ gpus: [gpu()], errors: [mismatch] }),
      { kind: "errors", reason: "gpu: NVML mismatch" },
    ],
    [
      "one failed device of two",
      frame({ gpus: [gpu(), failed] }),
      { kind: "errors", reason: "gpu 3: GPU is lost" },
    ],
    ["a state", state(), { kind: "unreachable", reason: "no answer within 10 s" }],
    [
      "a first connection under way",
      state({ state: "connecting", last_error: null }),
      { kind: "pending", reason: "connecting" },
    ],
    [
      "connected, and its first reading under way",
      state({ state: "connected", last_error: null }),
      { kind: "pending", reason: "connected" },
    ],
    [
      "a connection that is tried again",
      state({ state: "connecting" }),
      { kind: "unreachable", reason: "no answer within 10 s" },
    ],
    [
      "connected, and a reading that takes too long",
      state({ state: "connected", last_error: overrun }),
      { kind: "errors", reason: "the last reading is still under way" },
    ],
    [
      "a frame with a finding of its health",
      frame({ gpus: [gpu()], health: sick }),
      { kind: "warning", reason: "gpu 3: a row of memory waits to be remapped" },
    ],
    [
      "a frame with errors and a finding",
      frame({ errors: [mismatch], health: sick }),
      { kind: "errors", reason: "gpu: NVML mismatch" },
    ],
    ["a frame whose health is ok", frame({ health: { status: "ok", findings: [] } }), { kind: "ok" }],
    [
      "a state with its health",
      state({ health: sick }),
      { kind: "unreachable", reason: "no answer within 10 s" },
    ],
  ];
  for (const [name, record, expected] of cases) {
    test(name, () => assert.deepEqual(outcomeOf(record), expected));
  }
});
