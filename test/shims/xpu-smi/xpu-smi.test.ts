import assert from "node:assert/strict";
import { test } from "node:test";
import { xpuSmiShim } from "../../../src/shims/xpu-smi/xpu-smi.js";
import { testParserProperties } from "../../support/parser-properties.js";
import { partOutputs, probeContext } from "../../support/shim-outputs.js";

const query = (index: number, value?: string): string =>
  [
    index,
    `00000000-0000-0003-0000-0000e20b808${String(index)}`,
    "Intel(R) Arc(TM) Pro B60",
    "N/A",
    "9FF4708BCC22",
    `0000:0${String(index)}:00.0`,
    ...["97.00", "41.00", "24480", "11890.95", "12589.05", "61.00", "66.00", `12${String(index)}.26`],
    ...["200.00", "2400", "31", "4", "8", "3", "1"],
    ...["Disabled", "21.1", "97.00", "0.00", "3.00", "0", "0", "0", "0", "0", "None"],
  ]
    .map((cell, at) => (at > 5 ? (value ?? cell) : cell))
    .join(", ");

testParserProperties({
  shim: xpuSmiShim,
  part: "xpu-smi.stats",
  others: {
    "xpu-smi.ps": '{"device_util_by_proc_list": [{"device_id": 0, "process_id": 7, "mem_size": 5}]}',
  },
  device: query,
  assemble: (rows) => `${rows.join("\n")}\n`,
  samples: ['{"device_id": 0, "device_level": [{"metrics_type": "XPUM_STATS_POWER", "value": 15.0}]}'],
});

const discovery = (ids: readonly number[]): string =>
  JSON.stringify({ device_list: ids.map((id) => ({ device_id: id, device_name: "Flex" })) }, null, 4);

test("1.x is asked device by device, in one part with a shell, in separate parts without", () => {
  const outputs = partOutputs({ "xpu-smi.discovery": discovery([0, 1]) });
  const commands = (mode: "shell" | "plain") => {
    const verdict = xpuSmiShim.judge(outputs, probeContext(["gpu"], mode));
    assert.ok(verdict.kind === "usable");
    return verdict.sampler.parts.map((part) => part.command);
  };
  assert.deepEqual(commands("shell"), ["b {tool} stats -d 0 -j; b {tool} stats -d 1 -j"]);
  assert.deepEqual(commands("plain"), [
    "{tool} stats -d 0 -j",
    "{tool} discovery -d 0 -j",
    "{tool} stats -d 1 -j",
    "{tool} discovery -d 1 -j",
  ]);
});

test("1.x's stats of later ticks are joined with the probe's names; a device without stats stays, with nulls", () => {
  const verdict = xpuSmiShim.judge(
    partOutputs({ "xpu-smi.discovery": discovery([0, 1]) }),
    probeContext(["gpu"]),
  );
  assert.ok(verdict.kind === "usable");
  const stats = '{"device_id": 1, "device_level": [{"metrics_type": "XPUM_STATS_POWER", "value": 15.5}]}';
  const { gpus } = verdict.sampler.parse(partOutputs({ "xpu-smi.stats": stats })).sections;
  assert.deepEqual(
    gpus?.map((gpu) => [gpu.index, gpu.name, gpu.power_consumption]),
    [
      [0, "Flex", null],
      [1, "Flex", 15.5],
    ],
  );
});

test("2.0's throttle reasons have commas in them", () => {
  const reasonsFor = (cell: string) => {
    const outputs = partOutputs({ "xpu-smi.stats": `${query(0).replace(/None$/, cell)}\n${query(1)}\n` });
    const verdict = xpuSmiShim.judge(outputs, probeContext(["gpu"]));
    assert.ok(verdict.kind === "usable");
    return verdict.sampler.parse(outputs).sections.gpus?.map((gpu) => [gpu.name, gpu.throttle_reasons]);
  };
  const name = "Intel(R) Arc(TM) Pro B60";
  for (const [cell, reasons] of [
    ["Thermal,Power,ThermalAlert", ["Thermal", "Power", "ThermalAlert"]],
    ["PowerBurst", ["PowerBurst"]],
    ["SW, HW", ["SW", "HW"]],
    ["N/A", null],
  ] as const)
    assert.deepEqual(reasonsFor(cell), [
      [name, reasons],
      [name, []],
    ]);
});
