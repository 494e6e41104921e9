import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Finding } from "../../src/contract/health.js";
import type { Disk, Gpu, StreamRecord } from "../../src/contract/record.js";
import { GPU_RULES } from "../../src/health/gpu-rules.js";
import { HOST_RULES } from "../../src/health/host-rules.js";
import { HealthJudge } from "../../src/health/judge.js";
import { VENDOR_RULES } from "../../src/health/vendor-rules.js";
import { frame, gpu, state } from "../support/records.js";

const shown = ({ rule, severity, device, message }: Finding): string =>
  `${severity} ${device ?? "host"} ${rule}: ${message}`;
const judged = (record: StreamRecord): readonly string[] =>
  new HealthJudge({ rules: true, expectations: [] }).judge(record).findings.map(shown);
const one = (changes: Partial<Gpu>): StreamRecord => frame({ gpus: [gpu(changes)] });
const error = (message: string, kind: "error" | "timeout" | "parse" = "error"): StreamRecord =>
  frame({ gpus: [], errors: [{ section: "gpu", kind, message }] });
const GIB = 1024 ** 3;
const VENDOR_IDS: ReadonlySet<string> = new Set(VENDOR_RULES.map(({ id }) => id));
const memory = (total: number | null, available: number | null): StreamRecord => {
  const none = { used_bytes: null, free_bytes: null, buffers_bytes: null, cached_bytes: null };
  const swap = { swap_total_bytes: null, swap_used_bytes: null, swap_free_bytes: null, utilization: null };
  const labels = { host_id: "h", hostname: "h", instance: "h", time: "t" };
  return frame({
    memory: [{ index: 0, total_bytes: total, available_bytes: available, ...none, ...swap, ...labels }],
  });
};
const storage = (total: number | null, available: number | null): StreamRecord => {
  const labels = { host_id: "h", hostname: "h", instance: "h", time: "t" };
  return frame({
    storage: [{ index: 0, mount_point: "/data", total_bytes: total, available_bytes: available, ...labels }],
  });
};

const disks = (...changes: readonly Partial<Disk>[]): StreamRecord => {
  const labels = { host_id: "h", hostname: "h", instance: "h", time: "t" };
  const pressure = { cpu_some: 0, memory_some: 0, memory_full: 0, io_some: 0, io_full: 0 };
  const known = {
    boot_id: "b",
    uptime_seconds: 1,
    os: "o",
    kernel: "k",
    driver_versions: {},
    numa_nodes: [],
  };
  const list = changes.map((change, at) => ({ name: `nvme${at}`, model: null, state: null, ...change }));
  return frame({ host: [{ index: 0, ...known, pressure, disks: list, ...labels }] });
};

const linked = (...active: readonly (number | null)[]): StreamRecord => linkedBoards({}, active);

function linkedBoards(board: Partial<Gpu>, active: readonly (number | null)[]): StreamRecord {
  const counts = { replay_errors: 0, recovery_errors: 0, crc_errors: 0, ticks_ago: 5 };
  return frame({
    gpus: active.map((up, index) => gpu({ ...board, index, nvlink: { links: 18, active: up, ...counts } })),
  });
}

/** GPUs of one model at P0: lanes of the link, and the most that the GPU has. */
const wired = (...lanes: readonly (readonly [now: number, most: number])[]): StreamRecord =>
  frame({
    gpus: lanes.map(([now, most], index) =>
      gpu({ index, name: "H100", performance_state: 0, pcie_link_width: now, pcie_link_width_max: most }),
    ),
  });

const SILENT = { utilization: null, temperature: null, power_consumption: null, used_memory: null };

/** Each rule fired, and the nearest input that does not fire it. */
const CASES: [rule: string, fires: StreamRecord, finding: string, silent: StreamRecord][] = [
  [
    "gpu-failed",
    one({ index: 3, error: "GPU is lost" }),
    "critical gpu 3 gpu-failed: GPU is lost",
    one({ index: 3 }),
  ],
  [
    "gpu-silent",
    one({ utilization: null, temperature: null, power_consumption: null, used_memory: null }),
    "unknown gpu 0 gpu-silent: the device is listed without any reading",
    one({ utilization: null, temperature: null, power_consumption: null, used_memory: 0 }),
  ],
  [
    "gpu-silent",
    one({ ...SILENT, tool: "sysfs", power_state: "active", frequency: null }),
    "unknown gpu 0 gpu-silent: the device is listed without any reading",
    one({ ...SILENT, tool: "sysfs", power_state: "suspended", frequency: null }),
  ],
  [
    "nvidia-recovery-action",
    one({ recovery_action: "Drain and Reset" }),
    "critical gpu 0 nvidia-recovery-action: recovery action: Drain and Reset",
    one({ recovery_action: "None" }),
  ],
  [
    "nvidia-row-remap-failure",
    one({ remapped_rows_failure: true }),
    "critical gpu 0 nvidia-row-remap-failure: remapping a row of memory failed",
    one({ remapped_rows_failure: false }),
  ],
  [
    "nvidia-row-remap-pending",
    one({ remapped_rows_pending: true }),
    "warning gpu 0 nvidia-row-remap-pending: a row of memory waits to be remapped",
    one({ remapped_rows_pending: null }),
  ],
  [
    "nvidia-retired-pages-pending",
    one({ retired_pages_pending: true }),
    "warning gpu 0 nvidia-retired-pages-pending: a page of memory waits to be retired",
    one({ retired_pages_pending: null }),
  ],
  [
    "ecc-uncorrected",
    one({ ecc_uncorrected_since_load: 2, ecc_uncorrected_total: 2 }),
    "critical gpu 0 ecc-uncorrected: 2 uncorrected ECC errors since load",
    // Healed: the lifetime count never clears.
    one({ ecc_uncorrected_since_load: 0, ecc_uncorrected_total: 2 }),
  ],
  [
    "ecc-uncorrected",
    one({ ecc_uncorrected_since_load: null, detail: { ecc_mode: "Enabled" } }),
    "unknown gpu 0 ecc-uncorrected: ECC is on and its error count cannot be read",
    one({ ecc_uncorrected_since_load: null, detail: { ecc_mode: "Disabled" } }),
  ],
  [
    "nvidia-hw-slowdown",
    one({ throttle_reasons: ["hw_slowdown", "hw_power_brake_slowdown"] }),
    "warning gpu 0 nvidia-hw-slowdown: the hardware slows the clocks down: hw_slowdown, hw_power_brake_slowdown",
    one({ throttle_reasons: ["gpu_idle", "sw_power_cap", "applications_clocks_setting"] }),
  ],
  [
    "nvidia-hw-slowdown",
    one({ throttle_reasons: ["hw_thermal_slowdown"] }),
    "critical gpu 0 nvidia-hw-slowdown: the hardware slows the clocks down: hw_thermal_slowdown",
    one({ throttle_reasons: null }),
  ],
  [
    "nvidia-temperature-margin",
    one({ temperature_margin: -1 }),
    "warning gpu 0 nvidia-temperature-margin: -1 °C left to the maximum operating temperature",
    one({ temperature_margin: 1 }),
  ],
  [
    "nvidia-sram-threshold",
    one({ ecc_sram_threshold_exceeded: true }),
    "critical gpu 0 nvidia-sram-threshold: the SRAM had more uncorrected errors than its threshold",
    one({ ecc_sram_threshold_exceeded: null }),
  ],
  [
    "nvidia-row-remap-exhausted",
    one({ remapped_rows_histogram: { max: 2558, high: 0, partial: 0, low: 1, none: 1 } }),
    "warning gpu 0 nvidia-row-remap-exhausted: memory banks without a spare row: 1, with few: 1",
    one({ remapped_rows_histogram: { max: 2540, high: 10, partial: 10, low: 0, none: 0 } }),
  ],
  [
    "nvidia-fabric",
    one({ fabric_state: "In Progress", fabric_status: null }),
    "critical gpu 0 nvidia-fabric: not registered with the NVLink fabric: In Progress",
    one({ fabric_state: null, fabric_status: null }),
  ],
  [
    "nvidia-fabric",
    one({ fabric_state: "Completed", fabric_status: "Insufficient Resources" }),
    "critical gpu 0 nvidia-fabric: registration with the NVLink fabric failed: Insufficient Resources",
    one({ fabric_state: "Completed", fabric_status: "Success" }),
  ],
  [
    "nvidia-pcie-width",
    wired([16, 16], [8, 16], [16, 16]),
    "warning gpu 1 nvidia-pcie-width: PCIe x8 of x16, where another H100 has x16",
    // As a cloud or a board wires all of them.
    wired([8, 16], [8, 16]),
  ],
  [
    "nvidia-pcie-width",
    one({ performance_state: 0, pcie_link_width: 4, pcie_link_width_max: 16 }),
    "warning gpu 0 nvidia-pcie-width: PCIe x4 of x16",
    // An A10G of a cloud.
    one({ performance_state: 0, pcie_link_width: 8, pcie_link_width_max: 16 }),
  ],
  [
    "nvidia-pcie-width",
    one({ performance_state: 2, pcie_link_width: 1, pcie_link_width_max: 16 }),
    "warning gpu 0 nvidia-pcie-width: PCIe x1 of x16",
    one({ performance_state: 8, pcie_link_width: 1, pcie_link_width_max: 16 }),
  ],
  [
    "nvidia-pcie-width",
    one({ performance_state: 2, pcie_link_width: 1, pcie_link_width_max: 16 }),
    "warning gpu 0 nvidia-pcie-width: PCIe x1 of x16",
    one({ performance_state: 2, pcie_link_width: 1, pcie_link_width_max: null }),
  ],
  [
    "nvidia-pcie-generation",
    one({ performance_state: 0, pcie_link_gen: 3, pcie_link_gen_max: 5 }),
    "warning gpu 0 nvidia-pcie-generation: PCIe generation 3 of 5",
    one({ performance_state: 0, utilization: 0, pcie_link_gen: 3, pcie_link_gen_max: 5 }),
  ],
  [
    "nvidia-pcie-generation",
    one({
      ...{ performance_state: 2, utilization: 0, encoder_utilization: 90 },
      ...{ pcie_link_gen: 1, pcie_link_gen_max: 4 },
    }),
    "warning gpu 0 nvidia-pcie-generation: PCIe generation 1 of 4",
    one({ performance_state: 5, utilization: 40, pcie_link_gen: 1, pcie_link_gen_max: 4 }),
  ],
  [
    "nvidia-nvlink-down",
    linked(18, 17, 18),
    "warning host nvidia-nvlink-down: active NVLinks: gpu 1 has 17 of 18",
    // Bridged by a part of their links, without a bridge, and not known.
    linked(12, 12, 0, null),
  ],
  [
    "nvidia-nvlink-down",
    linkedBoards({ fabric_state: "Completed" }, [18, 0, 18]),
    "warning host nvidia-nvlink-down: active NVLinks: gpu 1 has 0 of 18",
    linkedBoards({ fabric_state: "Completed", mig_mode: true }, [18, 0, 18]),
  ],
  [
    "nvidia-nvlink-down",
    linkedBoards({ name: "Tesla V100-SXM2-32GB" }, [6, 6, 0]),
    "warning host nvidia-nvlink-down: active NVLinks: gpu 2 has 0 of 6",
    // A host of one model without a link of any.
    linkedBoards({ name: "Tesla V100-SXM2-32GB" }, [0, 0, 0]),
  ],
  ["host-unreachable", state(), "critical host host-unreachable: timeout: no answer within 10 s", frame()],
  [
    "host-unreachable",
    state({ state: "connecting", last_error: null }),
    "unknown host host-unreachable: no reading yet",
    frame(),
  ],
  [
    "reading-late",
    state({
      state: "connected",
      last_error: {
        code: "sample-overrun",
        phase: "sample",
        message: "the sample of tick 3 is still under way",
      },
    }),
    "warning host reading-late: the sample of tick 3 is still under way",
    frame(),
  ],
  [
    "driver-library-mismatch",
    error("the NVIDIA library and the loaded kernel driver differ in version"),
    "critical host driver-library-mismatch: gpu: the NVIDIA library and the loaded kernel driver differ in version",
    frame({ errors: [] }),
  ],
  [
    "tool-hung",
    error("nvidia-smi gave no answer within 10 s", "timeout"),
    "critical host tool-hung: gpu: nvidia-smi gave no answer within 10 s",
    frame({ gpus: [gpu()] }),
  ],
  [
    "section-failed",
    error("the NVIDIA driver is not loaded"),
    "critical host section-failed: gpu: the NVIDIA driver is not loaded",
    frame({ gpus: [] }),
  ],
  [
    "host-memory-low",
    memory(100 * GIB, 2 * GIB),
    "warning host host-memory-low: 2.0 % of the memory is available",
    memory(100 * GIB, 50 * GIB),
  ],
  [
    "host-memory-low",
    memory(100 * GIB, null),
    "unknown host host-memory-low: the host's available memory could not be read",
    frame(),
  ],
  [
    "host-disk-full",
    storage(100 * GIB, GIB),
    "critical host host-disk-full: /data 1.0 % free",
    storage(100 * GIB, 50 * GIB),
  ],
  [
    "host-disk-full",
    storage(100 * GIB, 5 * GIB),
    "warning host host-disk-full: /data 5.0 % free",
    storage(null, null),
  ],
  [
    "host-disk-failed",
    disks({ state: "dead" }, { state: "clean", degraded_members: 1 }),
    "critical host host-disk-failed: nvme0 is dead, nvme1 lacks 1 of its members",
    disks({ state: "live" }, { state: null }, { state: "clean", degraded_members: 0 }),
  ],
  [
    "host-disk-failed",
    disks({ state: "clean", degraded_members: 2 }),
    "warning host host-disk-failed: nvme0 lacks 2 of its members",
    frame(),
  ],
];

describe("each rule", () => {
  for (const [rule, fires, finding, silent] of CASES) {
    test(`${rule}: ${finding}`, () => {
      assert.deepEqual(judged(fires), [finding]);
      assert.deepEqual(judged(silent), []);
    });
  }
  test("has a case here, an id of its own, an action and a source", () => {
    // Those of other vendors are in vendor-rules.test.ts.
    const rules = [...GPU_RULES, ...HOST_RULES].filter((rule) => !VENDOR_IDS.has(rule.id));
    const ids = rules.map(({ id }) => id);
    assert.deepEqual([...ids].sort(), [...new Set(CASES.map(([id]) => id))].sort());
    assert.equal(new Set(ids).size, ids.length);
    for (const { action, source, condition } of rules)
      assert.ok(action !== "" && source !== "" && condition !== "");
  });
});

test("the worst is the status and comes first; a finding keeps the time of its first record while it stands", () => {
  const judge = new HealthJudge({ rules: true, expectations: [] });
  const at = (timestamp: string, changes: Partial<Gpu>): StreamRecord =>
    frame({ timestamp, gpus: [gpu(changes)] });
  const bad = { remapped_rows_pending: true, remapped_rows_failure: true };
  const first = judge.judge(at("2026-01-01T00:00:00.000Z", { remapped_rows_pending: true }));
  assert.equal(first.status, "warning");
  const second = judge.judge(at("2026-01-01T00:00:02.000Z", bad));
  assert.equal(second.status, "critical");
  assert.deepEqual(
    second.findings.map(({ rule, since }) => [rule, since]),
    [
      ["nvidia-row-remap-failure", "2026-01-01T00:00:02.000Z"],
      ["nvidia-row-remap-pending", "2026-01-01T00:00:00.000Z"],
    ],
  );
  assert.deepEqual(judge.judge(at("2026-01-01T00:00:04.000Z", {})), { status: "ok", findings: [] });
  const again = judge.judge(at("2026-01-01T00:00:06.000Z", bad));
  assert.deepEqual(
    again.findings.map(({ since }) => since),
    Array(2).fill("2026-01-01T00:00:06.000Z"),
  );
});

test("a host's own labels come after what is expected of all", () => {
  const judge = new HealthJudge({
    rules: true,
    expectations: [{ key: "gpus", text: "8", wanted: { kind: "pattern", pattern: "8" } }],
  });
  const labelled = frame({ hostname: "b", labels: { "expect.gpus": "1" }, gpus: [gpu()] });
  assert.deepEqual(judge.judge(labelled).findings, []);
  assert.deepEqual(judge.judge(frame({ gpus: [gpu()] })).findings.map(shown), [
    "critical host expect.gpus: 1 GPU works, 8 expected",
  ]);
});
