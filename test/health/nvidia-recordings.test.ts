/** The rules over every NVIDIA recording: well GPUs have no finding, and each finding is one that the recording shows. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { describe, test } from "node:test";
import type { Gpu } from "../../src/contract/record.js";
import { GPU_RULES } from "../../src/health/gpu-rules.js";
import { nvidiaSmiShim } from "../../src/shims/nvidia-smi.js";
import { readQuery } from "../../src/shims/nvidia-smi/query.js";
import { readSmiXml } from "../../src/shims/nvidia-smi/xml.js";
import { GOLDEN_ROOT, goldenCases } from "../support/golden.js";

/** As `gpu 0 nvidia-pcie-width: PCIe x1 of x16`, by place in the list. */
function findingsOf(gpus: readonly Gpu[]): readonly string[] {
  return gpus.flatMap((gpu, place) =>
    GPU_RULES.flatMap((rule) => {
      const verdict = rule.check(gpu, gpus);
      return verdict.kind === "fine" ? [] : [`gpu ${place} ${rule.id}: ${verdict.message}`];
    }),
  );
}

function gpusOfCase(name: string): readonly Gpu[] {
  const found = goldenCases("nvidia-smi").find((one) => one.name === name);
  assert.ok(found !== undefined);
  const outputs = found.outputs("nvidia-smi.query");
  const verdict = nvidiaSmiShim.judge(outputs, found.context);
  return "sampler" in verdict ? (verdict.sampler.parse(outputs).sections.gpus ?? []) : [];
}

/** Cases and recordings that are not named here have no finding. */
const IN_GOLDEN: Readonly<Record<string, readonly string[]>> = {
  "driver-610": ["gpu 1 gpu-silent: the device is listed without any reading"],
  "half-unknown-error": [
    "gpu 0 gpu-failed: Unknown Error",
    "gpu 2 gpu-failed: Unknown Error",
    "gpu 3 gpu-failed: ERR!",
    "gpu 4 gpu-failed: GPU is lost",
  ],
  "one-of-three-lost": ["gpu 1 gpu-failed: GPU is lost. Reboot the system to recover this GPU"],
  "only-gpu-lost": ["gpu 0 gpu-failed: GPU is lost. Reboot the system to recover this GPU"],
  "orin-tells-nothing": ["gpu 0 gpu-silent: the device is listed without any reading"],
  "tesla-k80-390": [
    "gpu 0 nvidia-retired-pages-pending: a page of memory waits to be retired",
    "gpu 0 nvidia-hw-slowdown: the hardware slows the clocks down: hw_thermal_slowdown",
  ],
  "two-h200-575": [
    "gpu 1 nvidia-recovery-action: recovery action: Reset",
    "gpu 1 nvidia-row-remap-failure: remapping a row of memory failed",
    "gpu 1 nvidia-row-remap-pending: a row of memory waits to be remapped",
  ],
  "unknown-error-row": ["gpu 1 gpu-failed: Unknown Error", "gpu 2 gpu-failed: GPU requires reset"],
  "worn-h100-590": [
    "gpu 0 nvidia-temperature-margin: -1 °C left to the maximum operating temperature",
    "gpu 0 nvidia-sram-threshold: the SRAM had more uncorrected errors than its threshold",
    "gpu 0 nvidia-row-remap-exhausted: memory banks without a spare row: 1, with few: 1",
    "gpu 0 nvidia-fabric: not registered with the NVLink fabric: In Progress",
    "gpu 0 nvidia-pcie-generation: PCIe generation 3 of 5",
  ],
};

describe("golden cases of nvidia-smi", () => {
  const names = goldenCases("nvidia-smi").map(({ name }) => name);
  for (const name of names)
    test(name, () => {
      assert.deepEqual(findingsOf(gpusOfCase(name)), IN_GOLDEN[name] ?? []);
    });
  test("the table names no other case", () => {
    for (const name of Object.keys(IN_GOLDEN)) assert.ok(names.includes(name), `${name} in ${GOLDEN_ROOT}`);
  });
});

const FIXTURES = join(import.meta.dirname, "../../../shared/fixtures/nvidia-smi");
const IN_FIXTURES: Readonly<Record<string, readonly string[]>> = {
  // Its elements were cut out of the file.
  "xml__gt730-384.111-trimmed.xml": ["gpu 0 gpu-silent: the device is listed without any reading"],
};

if (!existsSync(FIXTURES))
  test("recordings", { skip: `NOT RUN: ${relative(process.cwd(), FIXTURES)} is not there` });
else
  describe("recordings", () => {
    for (const file of readdirSync(FIXTURES)) {
      const isRow = file.startsWith("query-gpu-all");
      if (!isRow && !file.startsWith("xml__")) continue;
      test(file, () => {
        const text = readFileSync(join(FIXTURES, file), "utf8");
        const gpus = isRow ? readQuery(text, []).gpus : readSmiXml(text).map(({ gpu }) => gpu);
        assert.notEqual(gpus.length, 0);
        assert.deepEqual(findingsOf(gpus), IN_FIXTURES[file] ?? []);
      });
    }
  });
