/** Every rule over every recording of ../shared/fixtures: only devices that really are sick may have a finding. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { describe, test } from "node:test";
import { HealthJudge } from "../../src/health/judge.js";
import { withTool } from "../../src/remote/merge-sources.js";
import { amdSmiShim } from "../../src/shims/amd-smi/amd-smi.js";
import { furiosaSmiShim } from "../../src/shims/furiosa-smi.js";
import { hlSmiShim } from "../../src/shims/hl-smi.js";
import type { Reading, Shim } from "../../src/shims/kit/shim.js";
import { npuSmiShim } from "../../src/shims/npu-smi.js";
import { nvidiaSmiShim } from "../../src/shims/nvidia-smi.js";
import { TEN_FIELDS } from "../../src/shims/nvidia-smi/fields.js";
import { readQuery } from "../../src/shims/nvidia-smi/query.js";
import { readSmiXml } from "../../src/shims/nvidia-smi/xml.js";
import { rocmSmiShim } from "../../src/shims/rocm-smi/rocm-smi.js";
import { tegrastatsShim } from "../../src/shims/tegrastats.js";
import { tpuInfoShim } from "../../src/shims/tpu-info.js";
import { ttSmiShim } from "../../src/shims/tt-smi.js";
import { xpuSmiShim } from "../../src/shims/xpu-smi/xpu-smi.js";
import { FIXTURES, noFixtures, readFixture } from "../support/fixture-table.js";
import { frame } from "../support/records.js";
import { firstReading, partOutputs, probeContext } from "../support/shim-outputs.js";

interface Recordings {
  readonly tool: string;
  readonly files: RegExp;
  readonly read: (text: string) => Reading;
}

const of = (shim: Shim, part: string) => (text: string) =>
  firstReading(shim, partOutputs({ [part]: text }), probeContext(["gpu"]));

/** What the tools print for the commands of ours; the rest of the folder has other commands and tables for people. */
const RECORDINGS: readonly Recordings[] = [
  { tool: "amd-smi", files: /metric.*\.json$/, read: of(amdSmiShim, "amd-smi.metric") },
  { tool: "rocm-smi", files: /\.json$|then-json\.txt$/, read: of(rocmSmiShim, "rocm-smi.metrics") },
  { tool: "furiosa-smi", files: /./, read: of(furiosaSmiShim, "furiosa-smi.info") },
  { tool: "hl-smi", files: /./, read: of(hlSmiShim, "hl-smi.query") },
  { tool: "npu-smi", files: /^info__/, read: of(npuSmiShim, "npu-smi.info") },
  { tool: "tegrastats", files: /./, read: of(tegrastatsShim, "tegrastats.line") },
  { tool: "tpu-info", files: /./, read: of(tpuInfoShim, "tpu-info.tables") },
  { tool: "tt-smi", files: /./, read: of(ttSmiShim, "tt-smi.snapshot") },
  { tool: "xpu-smi", files: /discovery.*\.json$/, read: of(xpuSmiShim, "xpu-smi.discovery") },
  { tool: "nvidia-smi", files: /^query-gpu-all/, read: (text) => fromQuery(text, []) },
  { tool: "nvidia-smi", files: /ten-col__(?!composed-failed)/, read: (text) => fromQuery(text, TEN_FIELDS) },
  { tool: "nvidia-smi", files: /^errors\/gpu-lost/, read: of(nvidiaSmiShim, "nvidia-smi.query") },
  {
    tool: "nvidia-smi",
    files: /\.xml$/,
    read: (text) => ({ sections: { gpus: readSmiXml(text).map(({ gpu }) => gpu) }, errors: [] }),
  },
];
const FOLDER_OF: Readonly<Record<string, string>> = { "furiosa-smi": "furiosa" };

function fromQuery(text: string, columns: readonly string[]): Reading {
  const { gpus, errors } = readQuery(text, columns);
  return { sections: { gpus }, errors };
}

function findingsIn(reading: Reading, tool: string): readonly string[] {
  const { sections, errors } = withTool(reading, tool);
  const labels = { host_id: "h", hostname: "h", instance: "h", time: "t" };
  const gpus = (sections.gpus ?? []).map((gpu) => ({ ...gpu, ...labels }));
  const record = frame({ gpus, ...(errors.length > 0 ? { errors } : {}) });
  const { findings } = new HealthJudge({ rules: true, expectations: [] }).judge(record);
  return findings.map(
    ({ severity, device, rule, message }) => `${severity} ${device ?? "host"} ${rule}: ${message}`,
  );
}

/** By hand, from what the recordings show. */
const EXPECTED: Readonly<Record<string, readonly string[]>> = {
  // Recorded with options that print no reading at all.
  "rocm-smi/4x-mi100_identity-only.json": [0, 1, 2, 3].map(silent),
  "xpu-smi/discovery__v1.json": [silent(0)],
  // Every reading of card 1 is N/A or Not supported.
  "rocm-smi/strix-halo_rocm7.json": [silent(1)],
  // Cut down to what names the GPU.
  "nvidia-smi/xml__gt730-384.111-trimmed.xml": [silent(0)],
  "nvidia-smi/errors/gpu-lost.txt": [
    "critical gpu 0 gpu-failed: GPU is lost. Reboot the system to recover this GPU",
  ],
};

function silent(index: number): string {
  return `unknown gpu ${index} gpu-silent: the device is listed without any reading`;
}

describe("every rule over every recording", { skip: noFixtures }, () => {
  for (const { tool, files, read } of noFixtures === false ? RECORDINGS : []) {
    const folder = FOLDER_OF[tool] ?? tool;
    const names = readdirSync(join(FIXTURES, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(join(FIXTURES, folder), join(entry.parentPath, entry.name)))
      .filter((name) => files.test(name));
    test(`${tool} has files like ${String(files)}`, () => {
      assert.notEqual(names.length, 0);
    });
    for (const name of names)
      test(`${folder}/${name}`, (t) => {
        const reading = read(readFixture(folder, name));
        assert.notEqual(reading.sections.gpus?.length ?? 0, 0, "no device was read");
        const findings = findingsIn(reading, tool);
        for (const finding of findings) t.diagnostic(finding);
        assert.deepEqual(findings, EXPECTED[`${folder}/${name}`] ?? []);
      });
  }
});
