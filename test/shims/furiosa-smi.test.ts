import assert from "node:assert/strict";
import { test } from "node:test";
import { furiosaSmiShim } from "../../src/shims/furiosa-smi.js";
import { testParserProperties } from "../support/parser-properties.js";
import { probeContext } from "../support/shim-outputs.js";

testParserProperties({
  shim: furiosaSmiShim,
  part: "furiosa-smi.info",
  others: {
    "furiosa-smi.status": `[{"device": "npu0", "pe_utilizations": [{"pe_utilization": 12.5}]}]`,
    "furiosa-smi.ps": `[{"dev_name": "npu0:[0, 7]", "pid": 12, "cmdline": "a b"}]`,
  },
  device: (index, value) =>
    JSON.stringify(
      {
        arch: "rngd",
        dev_name: `npu${String(index)}`,
        device_uuid: `C041308${String(index)}`,
        temperature: value ?? "41.33°C",
        power: value ?? `3${String(index)}.00 W`,
        core_clock: value ?? "2000MHz",
        pci_bdf: `0000:0${String(index)}:00.0`,
      },
      null,
      2,
    ),
  assemble: (devices) => `[\n${devices.join(",\n")}\n]\n`,
  samples: [
    "+------+------------------+-------+\n| NPU  | Name | Temp. |\n+------+------------------+-------+\n| npu1 | W | 40°C |\n",
  ],
});

test("a host that runs no script is asked only for JSON", () => {
  const commands = furiosaSmiShim.probe(probeContext(["gpu"], "plain"));
  assert.deepEqual(
    commands.map(({ kind, command }) => [kind, command]),
    [
      ["program", "{tool} info --format json"],
      ["program", "{tool} status --format json"],
    ],
  );
});
