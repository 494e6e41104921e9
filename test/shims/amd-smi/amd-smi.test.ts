import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { amdSmiShim } from "../../../src/shims/amd-smi/amd-smi.js";
import { testParserProperties } from "../../support/parser-properties.js";
import { firstReading, partOutputs, probeContext } from "../../support/shim-outputs.js";

const gpu = (index: number, value?: string): string => {
  const cell = (number: number, unit: string) => ({ value: value ?? number, unit });
  return JSON.stringify(
    {
      gpu: index,
      usage: { gfx_activity: cell(31 + index, "%"), umc_activity: value ?? 12 },
      power: { socket_power: cell(141, "W"), throttle_status: "UNTHROTTLED" },
      clock: { gfx_0: { clk: cell(1300, "MHz") }, mem_0: { clk: cell(900, "MHz") } },
      temperature: { edge: value ?? "N/A", hotspot: cell(41, "C"), mem: cell(33, "C") },
      ecc: { total_correctable_count: value ?? 3, total_uncorrectable_count: value ?? 1 },
      fan: { usage: cell(20.5, "%") },
      pcie: { width: value ?? 16, speed: cell(32, "GT/s") },
      mem_usage: { total_vram: cell(196592, "MB"), used_vram: cell(1000 + index, "MB") },
    },
    null,
    4,
  );
};

testParserProperties({
  shim: amdSmiShim,
  part: "amd-smi.metric",
  others: {
    "amd-smi.static": `{"gpu_data": [{"gpu": 0, "asic": {"market_name": "AMD Instinct MI300X"}}]}`,
    "amd-smi.list": `[{"gpu": 0, "uuid": "9aff74a1", "bdf": "0000:05:00.0"}]`,
    "amd-smi.process": `[{"gpu": 0, "process_list": [{"process_info": {"name": "a", "pid": 7}}]}]`,
  },
  device: gpu,
  assemble: (gpus) => `{\n    "gpu_data": [\n${gpus.join(",\n")}\n    ]\n}\n`,
  samples: [`[${gpu(0)}, ${gpu(1)}]`],
});

describe("processes, in every nesting that a release had", () => {
  const info = { name: "python3", pid: 4711, mem_usage: { value: 512, unit: "B" } };
  const SHAPES: readonly { what: string; printed: unknown; gpus: readonly (number | null)[] }[] = [
    {
      what: "process_list (6.2 on)",
      printed: [{ gpu: 1, process_list: [{ process_info: info }] }],
      gpus: [1],
    },
    { what: "one process, no list (6.0)", printed: [{ gpu: 0, process_info: info }], gpus: [0] },
    { what: "flat list", printed: [{ gpu: 1 }, { process_info: info }], gpus: [1] },
    {
      what: "gpu_data",
      printed: { gpu_data: [{ gpu: 0, process_list: [{ process_info: info }] }] },
      gpus: [0],
    },
    {
      what: "none",
      printed: [{ gpu: 0, process_list: [{ process_info: "No running processes detected" }] }],
      gpus: [],
    },
    { what: "none (6.0)", printed: [{ gpu: 0, process_info: "Not Found" }], gpus: [] },
    {
      what: "the same on two GPUs",
      printed: [
        { gpu: 0, process_list: [{ process_info: info }] },
        { gpu: 1, process_list: [{ process_info: info }] },
      ],
      gpus: [0, 1],
    },
  ];
  for (const { what, printed, gpus } of SHAPES)
    test(what, () => {
      const outputs = partOutputs({
        "amd-smi.metric": `[${gpu(0)}, ${gpu(1)}]`,
        "amd-smi.process": JSON.stringify(printed),
      });
      const { processes } = firstReading(amdSmiShim, outputs).sections;
      assert.deepEqual(
        processes?.map((one) => [one.device_id, one.pid, one.used_memory]),
        gpus.map((index) => [index, 4711, 512]),
      );
    });
});

test("a tick uses the flags of the sections that the release has", () => {
  const verdict = amdSmiShim.judge(
    partOutputs({ "amd-smi.metric": '[{"gpu": 0, "mem_usage": {"total_vram": 8176}}]' }),
    probeContext(["gpu"]),
  );
  assert.ok(verdict.kind === "usable");
  assert.equal(verdict.sampler.parts[0]?.command, "{tool} metric --mem-usage --json");
});

test("names that the probe's deadline cut off are asked for again, a limited number of times", () => {
  const metric = `[${gpu(0)}]`;
  const verdict = amdSmiShim.judge(partOutputs({ "amd-smi.metric": metric }), probeContext(["gpu"]));
  assert.ok(verdict.kind === "usable");
  const { sampler } = verdict;
  const asked = () => sampler.parts.map((part) => part.id);
  assert.deepEqual(asked(), ["amd-smi.metric", "amd-smi.static", "amd-smi.list"]);
  const answered = {
    "amd-smi.metric": metric,
    "amd-smi.static": '[{"gpu": 0, "asic": {"market_name": "MI210"}}]',
    "amd-smi.list": "",
  };
  assert.equal(sampler.parse(partOutputs(answered)).sections.gpus?.[0]?.name, "MI210");
  assert.deepEqual(asked(), ["amd-smi.metric", "amd-smi.list"]);
  for (const list of ["", "[]"])
    sampler.parse(partOutputs({ "amd-smi.metric": metric, "amd-smi.list": list }));
  assert.deepEqual(asked(), ["amd-smi.metric"]);
  assert.equal(sampler.parse(partOutputs({ "amd-smi.metric": metric })).sections.gpus?.[0]?.name, "MI210");
});
