/**
 * Values that each tool prints where it has no reading: all ones of a type, limits and links of 0, and whole chips of
 * zeros. The sources are the tools' documentation and public headers.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { withExtras, type Gpu } from "../../../src/contract/record.js";
import { accelerator } from "../../../src/shims/kit/accelerator.js";
import { isAllOnes, withoutZeros } from "../../../src/shims/kit/stand-ins.js";
import { allShims } from "../../../src/shims/registry.js";
import { partOutputs, probeContext, type Answer } from "../../support/shim-outputs.js";

interface Case {
  readonly shim: string;
  /** The source of the stand-in. */
  readonly source: string;
  readonly outputs: Readonly<Record<string, Answer>>;
  /** Keys of the device that must be null or absent. */
  readonly none: readonly string[];
  /** Readings that it still has. */
  readonly kept?: Readonly<Record<string, unknown>>;
}

const amd = (metric: object, fixed: object = {}): Readonly<Record<string, Answer>> => ({
  "amd-smi.metric": JSON.stringify([{ gpu: 0, ...metric }]),
  "amd-smi.static": JSON.stringify([{ gpu: 0, ...fixed }]),
  "amd-smi.list": "[]",
});
const rocm = (card: object): Readonly<Record<string, Answer>> => ({
  "rocm-smi.metrics": JSON.stringify({ card0: { "Device Name": "AMD Instinct", ...card } }),
});
const nvidia = (fields: Readonly<Record<string, string>>): Readonly<Record<string, Answer>> => {
  const all = { index: "0", uuid: "GPU-5d3f1c52-8f1e-4f6a-9a34-000000000000", name: "NVIDIA A10", ...fields };
  return { "nvidia-smi.query": `${Object.keys(all).join(", ")}\n${Object.values(all).join(", ")}\n` };
};
const xpu = (
  stats: Readonly<Record<string, number>>,
  device: object = {},
): Readonly<Record<string, Answer>> => ({
  "xpu-smi.discovery": JSON.stringify({
    device_list: [{ device_id: 0, device_name: "Max 1550", ...device }],
  }),
  "xpu-smi.stats": JSON.stringify({
    device_id: 0,
    device_level: Object.entries(stats).map(([name, value]) => ({
      metrics_type: `XPUM_STATS_${name}`,
      value,
    })),
  }),
});
const tt = (telemetry: object, more: object = {}): Readonly<Record<string, Answer>> => ({
  "tt-smi.snapshot": JSON.stringify({
    device_info: [{ board_info: { board_type: "n150" }, telemetry, ...more }],
  }),
});
const npu = (power: string, temperature: string, usage: string): Readonly<Record<string, Answer>> => ({
  "npu-smi.info": [
    `| 0     910B3               | OK            | ${power}  ${temperature}           0    / 0             |`,
    `| 0                         | 0000:C1:00.0  | ${usage} |`,
  ].join("\n"),
});
const hl = (cells: string): Readonly<Record<string, Answer>> => ({
  "hl-smi.query": `0, 01P0-HL3090A0, HL-325L, 1.19.0, ${cells}\n`,
});
const rbln = (device: object): Readonly<Record<string, Answer>> => ({
  "rbln-smi.status": JSON.stringify({ devices: [{ npu: 0, name: "RBLN-CA22", ...device }] }),
});
const native = (gpu: object): Readonly<Record<string, Answer>> => ({
  "native.snapshot": `all-smi 0.27.0\n${JSON.stringify({ schema: 1, gpus: [{ uuid: "x", name: "y", detail: {}, ...gpu }] })}`,
});
const ALL = 2 ** 64;
const U32 = 4_294_967_295;

const CASES: readonly Case[] = [
  {
    shim: "nvidia-smi",
    source:
      "nvml.h: NVML_VALUE_NOT_AVAILABLE is -1, printed as unsigned; used memory of all ones as MiB is 17592186044415",
    outputs: nvidia({
      "utilization.gpu": "4294967295",
      "memory.used": "17592186044415",
      "temperature.gpu": "255",
      "clocks.current.graphics": "4294967295",
      "power.draw": "4294967.30",
      "fan.speed": "4294967295",
      "ecc.errors.corrected.aggregate.total": "18446744073709551615",
      "ecc.errors.uncorrected.aggregate.total": "4294967295",
    }),
    none: [
      "utilization",
      "used_memory",
      "temperature",
      "frequency",
      "power_consumption",
      "fan_speed_percent",
      "ecc_corrected_total",
      "ecc_uncorrected_total",
    ],
  },
  {
    shim: "nvidia-smi",
    source: "nvml.h: NVML_PSTATE_UNKNOWN is 32; a limit of 0 W and a link of 0 are of boards without one",
    outputs: nvidia({
      pstate: "P32",
      "power.limit": "0.00",
      "pcie.link.gen.current": "0",
      "pcie.link.width.current": "255",
      "utilization.gpu": "3",
    }),
    none: ["performance_state", "power_limit", "pcie_link_gen", "pcie_link_width"],
    kept: { utilization: 3 },
  },
  {
    shim: "nvidia-smi",
    source:
      "Virtual GPU Software User Guide: temperature, clocks and power are not available in a guest; they are printed 0",
    outputs: nvidia({
      "temperature.gpu": "0",
      "clocks.current.graphics": "0",
      "power.draw": "[N/A]",
      "utilization.gpu": "12",
    }),
    none: ["temperature", "frequency", "power_consumption"],
    kept: { utilization: 12 },
  },
  {
    shim: "nvidia-smi",
    source:
      "nvidia-smi(1) of driver 610: driver_version is deprecated for kmd_version, and a note stands in its place",
    outputs: nvidia({
      driver_version: 'Deprecated, see "KMD version"',
      "utilization.gpu": "7",
      "temperature.gpu": "41",
    }),
    none: ["driver_version"],
    kept: { utilization: 7, temperature: 41, name: "NVIDIA A10" },
  },
  {
    shim: "amd-smi",
    source:
      "amdsmi_interface.py: gpu_metrics fields of 16 bits are 0xFFFF where not supported, of 32 bits 0xFFFFFFFF",
    outputs: amd({
      usage: { gfx_activity: 65535, umc_activity: U32 },
      power: { socket_power: { value: 65535, unit: "W" } },
      temperature: { edge: { value: 65535, unit: "C" }, hotspot: 65535 },
      clock: { gfx_0: { clk: { value: 65535, unit: "MHz" } } },
      pcie: { width: 65535 },
      fan: { usage: 255 },
      mem_usage: { used_vram: { value: U32, unit: "MB" }, total_vram: { value: 16384, unit: "MB" } },
      ecc: { total_correctable_count: ALL, total_uncorrectable_count: U32 },
    }),
    none: [
      "utilization",
      "memory_utilization",
      "power_consumption",
      "temperature",
      "frequency",
      "pcie_link_width",
      "fan_speed_percent",
      "used_memory",
      "ecc_corrected_total",
      "ecc_uncorrected_total",
    ],
    kept: { total_memory: 16384 * 2 ** 20 },
  },
  {
    shim: "amd-smi",
    source: "amd-smi static of APUs (ROCm 7.2): limits that the firmware does not have are printed 0 W",
    outputs: amd(
      { usage: { gfx_activity: 1 } },
      { limit: { max_power: { value: 0, unit: "W" }, socket_power: { value: 0, unit: "W" } } },
    ),
    none: ["power_limit"],
    kept: { utilization: 1 },
  },
  {
    shim: "amd-smi",
    source: "the same limits in the names of ROCm 7.3, and in `metric` of 6.0",
    outputs: amd(
      { usage: { gfx_activity: 1 }, power: { power_limit: "0 W" } },
      { limit: { ppt0: { socket_power_limit: { value: 0, unit: "W" }, max_power_limit: "0 W" } } },
    ),
    none: ["power_limit"],
  },
  {
    shim: "rocm-smi",
    source:
      "rocm_smi.py: the secondary die's limit is 0.0; rocm_smi.h: fields that cannot be read are all ones; an unset serial is 0xffffffffffffffff",
    outputs: rocm({
      "Max Graphics Package Power (W)": "0.0",
      "Average Graphics Package Power (W)": "65535.0",
      "Temperature (Sensor edge) (C)": "255.0",
      "VRAM Total Memory (B)": "0",
      "VRAM Total Used Memory (B)": "18446744073709551615",
      "Unique ID": "0xffffffffffffffff",
      "Fan speed (%)": "255",
      "GPU use (%)": "22",
    }),
    none: [
      "power_limit",
      "power_consumption",
      "temperature",
      "total_memory",
      "used_memory",
      "uuid",
      "fan_speed_percent",
    ],
    kept: { utilization: 22 },
  },
  {
    shim: "xpu-smi",
    source:
      "Level Zero Sysman: -1 stands for unknown in frequencies, limits and PCIe, and as unsigned it is all ones",
    outputs: xpu(
      { GPU_UTILIZATION: U32, POWER: -1, GPU_FREQUENCY: U32, GPU_CORE_TEMPERATURE: 255, MEMORY_USED: ALL },
      { memory_physical_size_byte: "0" },
    ),
    none: ["utilization", "power_consumption", "frequency", "temperature", "used_memory", "total_memory"],
  },
  {
    shim: "xpu-smi",
    source: "the same in 2.0's CSV, with a limit of 0",
    outputs: {
      "xpu-smi.stats":
        "0, u-0, Arc B580, N/A, 1.0, 0000:03:00.0, 4, N/A, 0, 4294967295, N/A, 255, 65535, 66, 0, 4294967295, 255, -1, 0, N/A, 18446744073709551615, Unavailable, N/A, N/A, N/A, 255, N/A, N/A, N/A, N/A, 4294967295, N/A\n",
    },
    none: [
      "total_memory",
      "used_memory",
      "temperature",
      "temperature_memory",
      "power_limit",
      "frequency",
      "fan_speed_percent",
      "pcie_link_gen",
      "pcie_link_width",
      "ecc_uncorrected_total",
    ],
    kept: { power_consumption: 66, utilization: 4 },
  },
  {
    shim: "hl-smi",
    source: "hlml.h: unsigned fields; a card that does not answer is printed as zeros",
    outputs: hl("98304 MiB, 0 MiB, 98304 MiB, 0 W, 850 W, 0 C, 0 %"),
    none: ["used_memory", "memory_free", "power_consumption", "temperature", "utilization"],
    kept: { total_memory: 98304 * 2 ** 20, power_limit: 850 },
  },
  {
    shim: "hl-smi",
    source: "hlml.h: unsigned fields of all ones",
    outputs: hl("0 MiB, 4294967295 MiB, 4294967295 MiB, 4294967.295 W, 0 W, 255 C, 4294967295 %"),
    none: [
      "total_memory",
      "used_memory",
      "memory_free",
      "power_consumption",
      "power_limit",
      "temperature",
      "utilization",
    ],
  },
  {
    shim: "npu-smi",
    source:
      "Ascend DCMI: 0x7FFF and 0xFFFF are of sensors that could not be read (power in tenths of W); NA where not supported",
    outputs: npu("3276.7", "32767", "NA           0    / 0          0    / 0"),
    none: ["power_consumption", "temperature", "utilization", "total_memory", "used_memory"],
  },
  {
    shim: "npu-smi",
    source: "Ascend DCMI: the same of 16 bits unsigned",
    outputs: npu("6553.5", "65535", "255          3000 / 65536"),
    none: ["power_consumption", "temperature", "utilization"],
    kept: { total_memory: 65536 * 2 ** 20 },
  },
  {
    shim: "tt-smi",
    source:
      "luwen: a chip behind a hung bus reads 0xffffffff; tt-smi uses 16 bits of it, and temperature in sixteenths",
    outputs: tt(
      {
        voltage: "4294967.29",
        current: " 65535.0",
        power: "65535.0",
        aiclk: "65535",
        asic_temperature: "4095.9",
      },
      { limits: { tdp_limit: "0" } },
    ),
    none: ["power_consumption", "frequency", "temperature", "power_limit"],
    kept: { detail: {} },
  },
  {
    shim: "tt-smi",
    source: "tt-smi of a chip in reset: every reading 0",
    outputs: tt({ voltage: "0.00", power: "  0.0", aiclk: "   0", asic_temperature: " 0.0" }),
    none: ["power_consumption", "frequency", "temperature"],
  },
  {
    shim: "tegrastats",
    source: "Jetson Linux Developer Guide: a sensor of a rail that is off is -256C",
    outputs: {
      "tegrastats.line":
        "RAM 900/7850MB (lfb 1x4MB) GR3D_FREQ 0%@[306] GPU@-256C/-256C VDD_IN 4000mW/4000mW\n",
    },
    none: ["temperature", "power_consumption"],
    kept: { utilization: 0, frequency: 306 },
  },
  {
    shim: "tpu-info",
    source: "tpu_info/cli.py: usage of a core without a runtime is 0.00 GiB / 0.00 GiB",
    outputs: {
      "tpu-info.tables":
        "+--------+--------------+------------+\n| Core ID | Memory usage | Duty cycle |\n+--------+--------------+------------+\n| 0 | 0.00 GiB / 0.00 GiB | N/A |\n",
    },
    none: ["total_memory", "used_memory", "utilization"],
  },
  {
    shim: "rbln-smi",
    source: "docs.rbln.ai: N/A; values are unsigned in the driver's structures",
    outputs: rbln({
      temperature: "255C",
      card_power: "4294967295uW",
      util: "65535",
      memory: { used: "18446744073709551615", total: "0" },
      pci: { numa_node: "4294967295", link_width: "0" },
    }),
    none: [
      "temperature",
      "power_consumption",
      "utilization",
      "used_memory",
      "total_memory",
      "numa_node_id",
      "pcie_link_width",
    ],
  },
  {
    shim: "rbln-smi",
    source: "a die that is being reset: zeros",
    outputs: rbln({
      temperature: "0C",
      card_power: "0uW",
      util: "0.0",
      memory: { used: "0", total: "16877879296" },
    }),
    none: ["temperature", "power_consumption", "utilization", "used_memory", "memory_free"],
    kept: { total_memory: 16_877_879_296 },
  },
  {
    shim: "furiosa-smi",
    source: "furiosa-smi of a device that is not live: N/A, 0.00°C and 0.00 W",
    outputs: {
      "furiosa-smi.info": JSON.stringify([
        { dev_name: "npu0", arch: "rngd", temperature: "0.00°C", power: "0.00 W", core_clock: "N/A" },
      ]),
    },
    none: ["temperature", "power_consumption", "frequency", "utilization"],
  },
  {
    shim: "neuron-ls",
    source: "unsigned counters of a device that no longer responds, and a size of 0",
    outputs: {
      "neuron-ls.devices": JSON.stringify([
        { neuron_device: 0, bdf: "0000:cc:00.0", nc_count: 1, memory_size: 0, neuroncore_ids: [0] },
      ]),
      "neuron-ls.monitor": JSON.stringify({
        neuron_runtime_data: [
          {
            error: "",
            report: { neuroncore_counters: { neuroncores_in_use: { 0: { neuroncore_utilization: 255 } } } },
          },
        ],
        system_data: {
          neuron_hw_counters: { neuron_devices: [{ neuron_device_index: 0, mem_ecc_corrected: U32 }] },
        },
        neuron_hardware_info: { error: "" },
      }),
    },
    none: ["total_memory", "used_memory", "utilization", "ecc_corrected_since_load", "temperature"],
  },
  {
    shim: "sysfs",
    source: "amdgpu_pm.c: unsigned values of a GPU that no longer answers; a limit of 0 is disabled",
    outputs: {
      "sysfs.gpus": [
        "@0000:03:00.0 amdgpu active",
        "gpu_busy_percent 65535",
        "mem_info_vram_total 18446744073709551615",
        "temp1_input 65535000",
        "power1_average 4294967295",
        "power1_cap 0",
        "freq1_input 4294967295000000",
        "pwm1 65535",
        "current_link_speed Unknown",
        "current_link_width 63000",
      ].join("\n"),
    },
    none: [
      ...["utilization", "total_memory", "temperature", "power_consumption", "power_limit", "frequency"],
      ...["fan_speed_percent", "pcie_link_gen", "pcie_link_width"],
    ],
    kept: { power_state: "active" },
  },
  {
    shim: "native",
    source:
      "all-smi's types.rs: -1 is unavailable, 0 of temperature, clock and size; all ones of the libraries that it asks",
    outputs: native({
      utilization: -1,
      temperature: 255,
      frequency: U32,
      power_consumption: 4_294_967.295,
      used_memory: U32,
      total_memory: 0,
    }),
    none: ["utilization", "temperature", "frequency", "power_consumption", "used_memory", "total_memory"],
  },
];

const shims = await allShims();

describe("stand-ins for a reading", () => {
  for (const { shim: id, source, outputs, none, kept = {} } of CASES)
    test(`${id}: ${source}`, () => {
      const shim = shims.find((one) => one.id === id);
      assert.ok(shim);
      const verdict = shim.judge(partOutputs(outputs), probeContext(["gpu"]));
      assert.ok("sampler" in verdict, "message" in verdict ? verdict.message : "");
      const gpus = verdict.sampler.parse(partOutputs(outputs)).sections.gpus ?? [];
      assert.equal(gpus.length, 1);
      const fields = withExtras(gpus[0] ?? {});
      assert.deepEqual(
        none.map((key) => [key, fields[key] ?? null]),
        none.map((key) => [key, null]),
      );
      for (const [key, value] of Object.entries(kept)) assert.deepEqual(fields[key], value, key);
    });

  test("every shim has a case", () => {
    assert.deepEqual(
      shims.map(({ id }) => id).filter((id) => !CASES.some(({ shim }) => shim === id)),
      [],
    );
  });

  test("a whole chip of zeros has no readings, one that is only cold or idle has", () => {
    const zeros: Partial<Gpu> = { temperature: 0, utilization: 0, power_consumption: 0, frequency: 0 };
    const unread = accelerator("GPU", zeros);
    assert.deepEqual(
      [unread.temperature, unread.utilization, unread.power_consumption, unread.frequency],
      [null, null, null, null],
    );
    for (const sign of [
      { power_consumption: 9 },
      { frequency: 210 },
      { utilization: 1 },
      { used_memory: 1 },
      { temperature: 1 },
    ]) {
      const gpu = { ...accelerator("GPU", {}), ...zeros, ...sign };
      assert.equal(withoutZeros(gpu), gpu, JSON.stringify(sign));
    }
  });

  test("all ones are recognised in every width, and no smaller number is", () => {
    for (const bits of [31, 32, 63, 64]) assert.ok(isAllOnes(2 ** bits - 1), String(bits));
    fc.assert(fc.property(fc.integer({ min: 0, max: 2_147_482 }), (value) => !isAllOnes(value)));
  });
});
