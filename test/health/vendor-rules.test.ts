import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Gpu } from "../../src/contract/record.js";
import { HealthJudge } from "../../src/health/judge.js";
import { VENDOR_RULES } from "../../src/health/vendor-rules.js";
import { withTool } from "../../src/remote/merge-sources.js";
import type { Shim } from "../../src/shims/kit/shim.js";
import { allShims } from "../../src/shims/registry.js";
import { goldenCases } from "../support/golden.js";
import { frame, gpu } from "../support/records.js";

const judged = (gpus: readonly Gpu[]): readonly string[] => {
  const labels = { host_id: "h", hostname: "h", instance: "h", time: "t" };
  const record = frame({ gpus: gpus.map((one) => ({ ...one, ...labels })) });
  const { findings } = new HealthJudge({ rules: true, expectations: [] }).judge(record);
  return findings.map(({ rule, severity, device, message }) => `${severity} ${device} ${rule}: ${message}`);
};
const amd = (detail: Readonly<Record<string, string>>): Partial<Gpu> => ({ tool: "amd-smi", detail });
const tt = (name: string, detail: Readonly<Record<string, string>>, temperature = 50): Partial<Gpu> => ({
  ...{ tool: "tt-smi", name, temperature, detail },
});

/** Each rule fired, and the nearest input that does not fire it. */
const CASES: readonly [rule: string, fires: Partial<Gpu>, finding: string, silent: Partial<Gpu>][] = [
  [
    "amd-ras-deferred",
    amd({ ecc_deferred: "2" }),
    "warning: 2 deferred RAS errors",
    amd({ ecc_deferred: "0" }),
  ],
  [
    "amd-bad-pages-pending",
    { tool: "rocm-smi", detail: { bad_pages_retired: "0", bad_pages_pending: "1" } },
    "warning: 1 bad pages wait to be retired",
    // Retired pages are no longer in use.
    amd({ bad_pages_retired: "12", bad_pages_pending: "0" }),
  ],
  [
    "amd-bad-pages-unreservable",
    amd({ bad_pages_unreservable: "3" }),
    "warning: 3 bad pages are still in use",
    // Another vendor's field of the same name.
    { tool: "tt-smi", detail: { bad_pages_unreservable: "3" } },
  ],
  [
    "amd-bad-page-threshold",
    amd({ bad_page_threshold: "128", bad_page_threshold_exceeded: "True" }),
    "critical: more bad pages than the limit of 128",
    amd({ bad_page_threshold: "128" }),
  ],
  [
    "amd-violation",
    { tool: "amd-smi", throttle_reasons: ["ppt", "vr_thermal", "hbm_thermal"] },
    "warning: the clocks are held back: vr_thermal, hbm_thermal",
    { tool: "amd-smi", throttle_reasons: ["ppt", "low_utilization", "gfx_clk_below_host_limit_power"] },
  ],
  [
    "amd-violation",
    { tool: "amd-smi", throttle_reasons: ["prochot"] },
    "critical: the clocks are held back: prochot",
    // The one word of earlier GPUs covers power limits too.
    { tool: "amd-smi", throttle_reasons: ["THROTTLED"] },
  ],
  [
    "intel-thermal",
    { tool: "xpu-smi", throttle_reasons: ["Power", "Thermal"] },
    "warning: the clocks are held back: Thermal",
    { tool: "xpu-smi", throttle_reasons: ["Power", "PowerBurst", "Current", "SW", "HW"] },
  ],
  [
    "ascend-health",
    { tool: "npu-smi", health_status: "Alarm" },
    "critical: health: Alarm",
    { tool: "npu-smi", health_status: "OK" },
  ],
  [
    "ascend-health",
    { tool: "npu-smi", health_status: "Warning" },
    "warning: health: Warning",
    { tool: "npu-smi", health_status: null },
  ],
  [
    "ascend-health",
    { tool: "npu-smi", health_status: "UNKNOWN" },
    "unknown: health: UNKNOWN",
    { tool: "native", health_status: "UNKNOWN" },
  ],
  [
    "rebellions-status",
    { tool: "rbln-smi", health_status: "error" },
    "critical: health: error",
    { tool: "rbln-smi", health_status: "normal" },
  ],
  [
    "furiosa-liveness",
    { tool: "furiosa-smi", health_status: "dead" },
    "critical: health: dead",
    { tool: "furiosa-smi", health_status: "alive" },
  ],
  [
    "tenstorrent-dram-training",
    tt("n300 R", { dram_status: "false" }),
    "critical: a DRAM channel is not trained",
    // A p100a has fewer GDDRs, and an older tt-smi does not know its newer firmware's word.
    tt("p100a", { dram_status: "false" }),
  ],
  [
    "tenstorrent-gddr-uncorrected",
    tt("p150a", { gddr_uncorrected: "18" }),
    "critical: uncorrected GDDR errors, bits 0x12",
    tt("p150a", { gddr_uncorrected: "0" }),
  ],
  [
    "tenstorrent-thermal-limit",
    tt("p150a", { thm_limit: "110", therm_trip_l1_limit: "90" }, 90.5),
    "warning: 90.5 °C, at its limit of 90 °C",
    tt("n150 L", { thm_limit: "75", therm_trip_l1_limit: "83" }, 74.9),
  ],
];

describe("each rule", () => {
  for (const [rule, fires, finding, silent] of CASES) {
    test(`${rule}: ${finding}`, () => {
      const [severity = "", ...message] = finding.split(": ");
      assert.deepEqual(judged([gpu(fires)]), [`${severity} gpu 0 ${rule}: ${message.join(": ")}`]);
      assert.deepEqual(judged([gpu(silent)]), []);
    });
  }
  test("has a case here, an id of its own, an action and a source", () => {
    const ids = VENDOR_RULES.map(({ id }) => id);
    assert.deepEqual([...ids].sort(), [...new Set(CASES.map(([id]) => id))].sort());
    assert.equal(new Set(ids).size, ids.length);
    for (const { action, source, condition } of VENDOR_RULES)
      assert.ok(action !== "" && source !== "" && condition !== "");
  });
});

/** All findings in the golden cases of tools other than nvidia-smi, whose outputs are written to the tools' documents. */
const IN_GOLDEN: Readonly<Record<string, readonly string[]>> = {
  "amd-smi/exit-with-valid-output": [silentGpu(1)],
  "amd-smi/rocm-7.0-mi300x": [uncorrected(0, 1), uncorrected(1, 1)],
  "amd-smi/rocm-7.0-mi300x-sick": [
    uncorrected(0, 1),
    "critical gpu 0 amd-bad-page-threshold: more bad pages than the limit of 128",
    uncorrected(1, 1),
    "warning gpu 0 amd-ras-deferred: 2 deferred RAS errors",
    "warning gpu 0 amd-bad-pages-pending: 2 bad pages wait to be retired",
    "warning gpu 0 amd-bad-pages-unreservable: 1 bad pages are still in use",
    "warning gpu 0 amd-violation: the clocks are held back: hbm_thermal",
  ],
  "amd-smi/rocm-7.2-apu-blind": [silentGpu(0)],
  "rocm-smi/rocm-6.2-mi210-bad-pages": [
    uncorrected(0, 2),
    "warning gpu 0 amd-bad-pages-pending: 1 bad pages wait to be retired",
  ],
  "tt-smi/blackhole-and-failed-dram": [
    "critical gpu 0 tenstorrent-gddr-uncorrected: uncorrected GDDR errors, bits 0x2",
    "critical gpu 1 tenstorrent-dram-training: a DRAM channel is not trained",
    "warning gpu 0 tenstorrent-thermal-limit: 90.5 °C, at its limit of 90 °C",
  ],
  "tt-smi/sensor-without-value": [silentGpu(0)],
  "hl-smi/gaudi2-ecc-fields": [uncorrected(0, 1)],
  "hl-smi/gaudi3-one-lost": [silentGpu(1)],
  "rbln-smi/ca12-strings-sdk-1": [silentGpu(0)],
  "xpu-smi/v1-max-two-tiles-and-flex": [uncorrected(0, 1)],
  "xpu-smi/v1-one-device-fails": [silentGpu(0)],
  "xpu-smi/v1-plain-commands": [silentGpu(0), silentGpu(1)],
  "xpu-smi/v2-query": ["warning gpu 0 intel-thermal: the clocks are held back: Thermal", silentGpu(1)],
  "sysfs/amdgpu-mi300x-no-edge-sensor": [uncorrected(1, 1)],
  "neuron-ls/monitor-missing": [silentGpu(0)],
  "neuron-ls/trn2-two-devices": [uncorrected(1, 1)],
  "npu-smi/910b-one-card-lost": ["critical gpu 1 ascend-health: health: Critical", silentGpu(1)],
};

function uncorrected(index: number, count: number): string {
  return `critical gpu ${index} ecc-uncorrected: ${count} uncorrected ECC errors since load`;
}

function silentGpu(index: number): string {
  return `unknown gpu ${index} gpu-silent: the device is listed without any reading`;
}

describe("the golden cases, through the tools' own parsers", async () => {
  for (const shim of await allShims()) {
    if (["native", "nvidia-smi"].includes(shim.id)) continue;
    for (const { name, gpus } of devicesOf(shim))
      test(`${shim.id}/${name}`, () => {
        assert.deepEqual(judged(gpus), IN_GOLDEN[`${shim.id}/${name}`] ?? []);
      });
  }
});

function devicesOf(shim: Shim): readonly { readonly name: string; readonly gpus: readonly Gpu[] }[] {
  return goldenCases(shim.id).flatMap(({ name, context, outputs }) => {
    const printed = outputs(shim.probe(context)[0]?.id ?? "");
    const verdict = shim.judge(printed, context);
    if (!("sampler" in verdict)) return [];
    return [{ name, gpus: withTool(verdict.sampler.parse(printed), shim.id).sections.gpus ?? [] }];
  });
}
