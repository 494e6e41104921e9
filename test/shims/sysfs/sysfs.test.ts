import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { sysfsShim } from "../../../src/shims/sysfs/sysfs.js";
import { linkGeneration, pwmPercent } from "../../../src/shims/sysfs/kernel-cells.js";
import { testParserProperties } from "../../support/parser-properties.js";
import { firstReading, partOutputs, probeContext } from "../../support/shim-outputs.js";

const address = (index: number): string => `0000:${(index * 16 + 3).toString(16).padStart(2, "0")}:00.0`;
const bytes = (value: string | undefined, size: string): string => value ?? size;

testParserProperties({
  shim: sysfsShim,
  part: "sysfs.gpus",
  others: {
    "sysfs.facts": [
      ...[0, 1, 2, 3, 4, 5].map(
        (i) => `@${address(i)} amdgpu active\npci_id 1002:740f\ncard ${i}\nnuma_node 1\n`,
      ),
      "@names\n=1002:740f Aldebaran/MI200 [Instinct MI210]\n",
    ].join(""),
  },
  device: (index, value) =>
    [
      `@${address(index)} amdgpu active`,
      `gpu_busy_percent ${value ?? String(40 + index)}`,
      `mem_busy_percent ${value ?? "31"}`,
      `mem_info_vram_total ${bytes(value, "68702699520")}`,
      `mem_info_vram_used ${bytes(value, "53687091200")}`,
      `mem_info_gtt_total ${bytes(value, "540927676416")}`,
      `mem_info_gtt_used ${bytes(value, "14680064")}`,
      `temp1_input ${value ?? "61000"}`,
      `temp3_input ${value ?? "66000"}`,
      `power1_average ${value ?? "221000000"}`,
      `power1_cap ${value ?? "300000000"}`,
      `freq1_input ${value ?? "1700000000"}`,
      `pp_dpm_mclk 1: ${value ?? "933"}Mhz *`,
      `pwm1 ${value ?? "51"}`,
      `umc_err_count ue: ${value ?? "1"} ce: ${value ?? "3"}`,
      `current_link_speed ${value ?? "16.0 GT/s PCIe"}`,
      `current_link_width ${value ?? "16"}`,
    ].join("\n"),
  assemble: (devices) => `${devices.join("\n")}\n`,
  samples: [
    "@0000:83:00.0 i915 active\nenergy1_input 824553179\npower1_max 190000000\nuptime 1000.00\nact_freq 2400\n",
    "@0000:e3:00.0 xe suspended\n",
  ],
});

describe("energy", () => {
  const text = (microjoules: string, uptime: string, counter = "energy1_input"): string =>
    `@0000:83:00.0 i915 active\n${counter} ${microjoules}\nuptime ${uptime}\nact_freq 2400\n`;
  /** The watts of each tick in a row. */
  const watts = (...ticks: readonly string[]): readonly (number | null | undefined)[] => {
    const verdict = sysfsShim.judge(partOutputs({ "sysfs.gpus": text("1", "1.00") }), probeContext(["gpu"]));
    assert.ok(verdict.kind === "usable");
    return ticks.map((tick) => {
      const { sections } = verdict.sampler.parse(partOutputs({ "sysfs.gpus": tick }));
      return sections.gpus?.[0]?.power_consumption;
    });
  };

  test("is never taken from one counter in one tick and from another in the next", () => {
    assert.deepEqual(watts(text("5000000", "10.00"), text("9000000", "12.00", "energy2_input")), [
      null,
      null,
    ]);
  });
  test("a tick without the device, or without its counter, begins anew", () => {
    const other = "@0000:84:00.0 i915 active\nact_freq 2400\n";
    assert.deepEqual(watts(text("5000000", "10.00"), other, text("9000000", "12.00")), [null, null, null]);
    const without = "@0000:83:00.0 i915 suspended\n";
    assert.deepEqual(
      watts(text("5000000", "10.00"), without, text("9000000", "12.00"), text("9000000", "14.00")),
      [...[null, null, null], 0],
    );
  });
  test("a clock that stands still or runs backwards gives none", () => {
    assert.deepEqual(watts(text("5", "10.00"), text("9000005", "10.00"), text("18000005", "9.00")), [
      null,
      null,
      null,
    ]);
  });
});

describe("cells of the kernel", () => {
  test("a link's generation", () => {
    const speeds = [
      "2.5 GT/s PCIe",
      "5.0 GT/s PCIe",
      "8 GT/s",
      "16.0 GT/s PCIe",
      "32.0 GT/s",
      "64.0 GT/s PCIe",
    ];
    assert.deepEqual(speeds.map(linkGeneration), [1, 2, 3, 4, 5, 6]);
    assert.deepEqual(["Unknown", "Unknown speed", "7.0 GT/s", "", undefined].map(linkGeneration), [
      null,
      null,
      null,
      null,
      null,
    ]);
  });
  test("a fan's pwm in percent", () => {
    assert.deepEqual(["0", "51", "255", "256", "-1", undefined].map(pwmPercent), [
      0,
      20,
      100,
      null,
      null,
      null,
    ]);
  });
});

test("without a text of names a device has none, and it is still read", () => {
  const [gpu] =
    firstReading(
      sysfsShim,
      partOutputs({ "sysfs.gpus": "@0000:03:00.0 amdgpu active\ngpu_busy_percent 5\n" }),
    ).sections.gpus ?? [];
  assert.deepEqual([gpu?.name, gpu?.index, gpu?.utilization], [null, null, 5]);
});

test("it is not tried where no shell of ours runs", () => {
  assert.deepEqual(sysfsShim.probe(probeContext(["gpu"], "plain")), []);
});
