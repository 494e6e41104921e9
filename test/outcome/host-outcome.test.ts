import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { StreamRecord } from "../../src/contract/record.js";
import { outcomeOf, type HostOutcome } from "../../src/outcome/host-outcome.js";
import { frame, gpu, state } from "../support/records.js";

const failed = gpu({ index: 3, error: "GPU is lost" });
const mismatch = { section: "gpu", kind: "error", message: "NVML mismatch" } as const;

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
      "a state without a reason",
      state({ state: "connecting", last_error: null }),
      { kind: "unreachable", reason: "connecting" },
    ],
  ];
  for (const [name, record, expected] of cases) {
    test(name, () => assert.deepEqual(outcomeOf(record), expected));
  }
});
