import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { FrameRecord, Gpu, Process } from "../../../src/contract/record.js";
import { holdersOf, IdleGpus } from "../../../src/format/table/holders.js";
import { acceleratorProcess } from "../../../src/shims/kit/accelerator.js";
import { frame, gpu, state } from "../../support/records.js";

const LABELS = { host_id: "admin@dgx-01:22", hostname: "dgx-01", instance: "dgx-01:22", time: "t" };
const held = (changes: Partial<Process> = {}): Process & typeof LABELS => ({
  ...acceleratorProcess({
    pid: 7,
    process_name: "/opt/train",
    device_id: 0,
    device_uuid: "GPU-0",
    used_memory: 1,
  }),
  ...LABELS,
  ...changes,
});
const at = (minute: number, utilization: number | null, processes = [held()]): FrameRecord => {
  const timestamp = `2026-01-02T0${Math.floor(minute / 60)}:${String(minute % 60).padStart(2, "0")}:00.000Z`;
  return frame({ timestamp, gpus: [gpu({ utilization })], processes });
};

describe("who holds a GPU", () => {
  const cases: readonly [
    what: string,
    processes: readonly Partial<Process>[],
    gpu: Partial<Gpu>,
    expected: string,
  ][] = [
    ["users, each once", [{ user: "alice" }, { user: "bob" }, { user: "alice" }], {}, "alice, bob"],
    ["with a Slurm job", [{ user: "alice", slurm_job_id: 4711 }], {}, "alice (job 4711)"],
    ["a program without a user", [{}], {}, "train"],
    ["a pid without a name", [{ process_name: null }], {}, "pid 7"],
    ["more than three", ["a", "b", "c", "d", "e"].map((user) => ({ user })), {}, "a, b, c, +2"],
    ["none on this one", [{ device_uuid: "GPU-9" }], {}, ""],
    ["by the index where there is no uuid", [{ user: "a", device_uuid: null }], { uuid: null }, "a"],
    [
      "one of several devices",
      [{ user: "a", device_uuid: null, device_id: null, device_ids: [0, 1] }],
      {},
      "a",
    ],
    ["what uses no GPU", [{ user: "a", uses_gpu: false }], {}, ""],
    ["a hostile name", [{ user: "a\u001b[31m" }], {}, "a\ufffd[31m"],
  ];
  for (const [what, processes, changes, expected] of cases)
    test(what, () =>
      assert.equal(holdersOf(frame({ processes: processes.map(held) }), gpu(changes)), expected),
    );
  test("not known without processes", () => assert.equal(holdersOf(frame(), gpu()), null));
});

describe("for how long it has been idle", () => {
  const textAfter = (...records: Parameters<IdleGpus["take"]>[0][]): string => {
    const idle = new IdleGpus();
    for (const record of records) idle.take(record);
    const last = records.findLast((record) => record.record === "frame");
    return last?.record === "frame" ? idle.text(last, last.gpus?.[0] ?? gpu()) : "";
  };
  const cases: readonly [what: string, records: Parameters<IdleGpus["take"]>[0][], expected: string][] = [
    ["from its first idle reading", [at(0, 0), at(12, 4)], "12 min"],
    ["in hours", [at(0, 0), at(300, 0)], "5 h"],
    ["not below a minute", [at(0, 0)], ""],
    ["in use", [at(0, 0), at(12, 5)], ""],
    ["a use in between starts it anew", [at(0, 0), at(5, 50), at(12, 0), at(20, 0)], "8 min"],
    ["a missing reading starts it anew", [at(0, 0), at(5, null), at(12, 0), at(20, 0)], "8 min"],
    ["a host that was away starts it anew", [at(0, 0), state({ hostname: "dgx-01" }), at(12, 0)], ""],
    ["held by nobody", [at(0, 0, []), at(12, 0, [])], ""],
  ];
  for (const [what, records, expected] of cases)
    test(what, () => assert.equal(textAfter(...records), expected));
});
