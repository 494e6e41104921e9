import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { withExtras } from "../../src/contract/record.js";
import { tegrastatsShim } from "../../src/shims/tegrastats.js";
import { testParserProperties } from "../support/parser-properties.js";
import { firstReading, partOutputs, probeContext } from "../support/shim-outputs.js";

const line = (value?: string): string =>
  [
    `RAM ${value ?? "6185"}/${value ?? "7620"}MB (lfb 8x2MB)`,
    "CPU [15%@729]",
    `EMC_FREQ ${value ?? "43"}%@${value ?? "2133"}`,
    `GR3D_FREQ ${value ?? "63"}%@[${value ?? "621"}]`,
    `cpu@53.9C gpu@${value ?? "53.343"}C`,
    `VDD_IN ${value ?? "12479"}mW/12479mW VDD_CPU_GPU_CV ${value ?? "4667"}mW/4667mW`,
  ].join(" ");

testParserProperties({
  shim: tegrastatsShim,
  part: "tegrastats.line",
  others: { "tegrastats.model": "NVIDIA Jetson Orin Nano\u0000" },
  single: true,
  device: (_, value) => `RAM 6185/7620MB ${line(value)}`,
  assemble: ([only]) => `${only ?? ""}\n`,
});

test("a line that is cut anywhere gives the same values or null", () => {
  const whole = firstReading(tegrastatsShim, partOutputs({ "tegrastats.line": line() })).sections.gpus?.[0];
  assert.ok(whole !== undefined);
  const verdict = tegrastatsShim.judge(partOutputs({ "tegrastats.line": line() }), probeContext(["gpu"]));
  assert.ok(verdict.kind === "usable");
  fc.assert(
    fc.property(fc.nat(line().length), (length) => {
      const outputs = partOutputs({ "tegrastats.line": line().slice(0, length) });
      for (const gpu of verdict.sampler.parse(outputs).sections.gpus ?? [])
        for (const [key, value] of Object.entries(gpu))
          if (typeof value === "number") assert.equal(value, withExtras(whole)[key], key);
    }),
  );
});

test("tegrastats does not run on a host without a shell, where nothing would end it", () => {
  assert.deepEqual(tegrastatsShim.probe(probeContext(["gpu"], "plain")), []);
});
