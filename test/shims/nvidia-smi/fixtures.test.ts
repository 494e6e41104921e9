import assert from "node:assert/strict";
import type { Gpu } from "../../../src/contract/record.js";
import { accelerator } from "../../../src/shims/kit/accelerator.js";
import { textCell } from "../../../src/shims/kit/cells.js";
import type { Reading } from "../../../src/shims/kit/shim.js";
import { APPS_FIELDS, readApps } from "../../../src/shims/nvidia-smi/apps.js";
import { fieldsInHelp, TEN_FIELDS, withoutSeldom } from "../../../src/shims/nvidia-smi/fields.js";
import { parseGpuList } from "../../../src/shims/nvidia-smi/mig.js";
import { nvidiaSmiShim } from "../../../src/shims/nvidia-smi.js";
import { readQuery } from "../../../src/shims/nvidia-smi/query.js";
import { cudaVersionIn } from "../../../src/shims/nvidia-smi/seldom.js";
import { readSmiXml } from "../../../src/shims/nvidia-smi/xml.js";
import { type FixtureRow, testFixtures, type UnusedFixture } from "../../support/fixture-table.js";
import { partOutputs, probeContext } from "../../support/shim-outputs.js";

const MIB = 1024 ** 2;

const queried =
  (columns: readonly string[]) =>
  (text: string): Reading => {
    const { gpus, errors } = readQuery(text, columns);
    return { sections: { gpus: gpus.map(withBanks) }, errors };
  };
const fromXml = (text: string): Reading => ({
  sections: { gpus: readSmiXml(text).map(({ gpu }) => withBanks(gpu)) },
  errors: [],
});

/** Facts that are no GPUs go into the table as devices, numbered in the order printed. */
const facts = (list: readonly object[]): Reading => ({
  sections: { gpus: list.map((fact, index): Gpu => accelerator("GPU", { ...fact, index })) },
  errors: [],
});
const processes =
  (columns: readonly string[]) =>
  (text: string): Reading =>
    facts(readApps(text, [], columns).processes);
const listed = (text: string): Reading =>
  facts(
    parseGpuList(text).map(({ uuid, instances }) => ({
      uuid,
      instances: instances.map((one) => `${one.profile} ${String(one.device)} ${one.uuid ?? ""}`).join("; "),
    })),
  );
const failed = (text: string): Reading => {
  const outputs = partOutputs({ "nvidia-smi.query": text });
  const verdict = nvidiaSmiShim.judge(outputs, probeContext(["gpu"]));
  if (!("sampler" in verdict))
    return facts([{ verdict: verdict.kind, message: verdict.message.split("; nvidia-smi:")[0] }]);
  const { sections, errors } = verdict.sampler.parse(outputs);
  return {
    sections: { gpus: sections.gpus?.map((gpu, index) => ({ ...gpu, index, errors: errors.length })) ?? [] },
    errors,
  };
};

/** Utilization %, memory used and total MiB, temperature C, power W, graphics clock MHz. */
type Values = readonly [
  number | null,
  number | null,
  number | null,
  number | null,
  number | null,
  number | null,
];

function values(name: string | null, driver: string | undefined, cells: Values) {
  const [utilization, used, total, temperature, power, clock] = cells;
  return {
    ...(name === null ? {} : { name }),
    ...(driver === undefined ? {} : { driver_version: driver }),
    utilization,
    used_memory: used === null ? null : used * MIB,
    total_memory: total === null ? null : total * MIB,
    temperature,
    power_consumption: power,
    frequency: clock,
  };
}

/**
 * Encoder and decoder %, margin C, clocks' maxima MHz (graphics, memory), power limits W (default, min, max), SRAM
 * threshold, remapped rows (correctable, uncorrectable), time at the power limit us, PCIe maxima, fabric, and the banks
 * with all and with few spare rows.
 */
type Deeper = readonly [
  encoder: number | null,
  margin: number | null,
  clocks: readonly [number, number],
  limits: readonly [number, number, number],
  sramExceeded: boolean | null,
  remapped: number | null,
  powerCapMicroseconds: number,
  pcie: readonly [number, number],
  fabric: readonly [string, string] | null,
  banks: readonly [number, number] | null,
];

function deeper([encoder, margin, clocks, limits, sram, remapped, cap, pcie, fabric, banks]: Deeper) {
  return {
    encoder_utilization: encoder,
    // Nothing decoded in any recording; in MIG mode neither is read.
    decoder_utilization: encoder === null ? null : 0,
    temperature_margin: margin,
    frequency_max: clocks[0],
    clock_memory_max: clocks[1],
    clock_sm_max: clocks[0],
    power_limit_default: limits[0],
    power_limit_min: limits[1],
    power_limit_max: limits[2],
    ecc_sram_threshold_exceeded: sram,
    remapped_rows_correctable: remapped,
    remapped_rows_uncorrectable: remapped,
    retired_pages_single_bit: null,
    retired_pages_double_bit: null,
    throttle_time_sw_power_cap: cap,
    throttle_time_sw_thermal: 0,
    throttle_time_hw_thermal: 0,
    throttle_time_hw_power_brake: 0,
    pcie_link_gen_max: pcie[0],
    pcie_link_width_max: pcie[1],
    fabric_state: fabric?.[0] ?? null,
    fabric_status: fabric?.[1] ?? null,
    "remapped_rows_histogram.max": banks?.[0] ?? null,
    "remapped_rows_histogram.low": banks?.[1] ?? null,
  };
}

/** With the counts of the histogram beside it, for the table. */
const withBanks = (gpu: Gpu): Gpu => ({
  ...gpu,
  ...{
    "remapped_rows_histogram.max": gpu.remapped_rows_histogram?.max ?? null,
    "remapped_rows_histogram.low": gpu.remapped_rows_histogram?.low ?? null,
  },
});

const H100: readonly [number, number] = [1980, 2619];
const SXM: readonly [number, number, number] = [700, 200, 700];
const GEN5: readonly [number, number] = [5, 16];
const REGISTERED: readonly [string, string] = ["Completed", "Success"];
const RTX2080: readonly [number, number] = [2145, 7751];
const RTX2080_LIMITS: readonly [number, number, number] = [250, 105, 350];
const RTX4080: readonly [number, number] = [3165, 11501];
const RTX4080_LIMITS: readonly [number, number, number] = [320, 150, 400];
const DEEPER: Readonly<Record<string, readonly [idle: Deeper, load: Deeper]>> = {
  "h100-590.48.01": [
    [0, 46, H100, SXM, false, 0, 0, GEN5, REGISTERED, [2560, 0]],
    [0, 26, H100, SXM, false, 0, 0, GEN5, REGISTERED, [2560, 0]],
  ],
  "h100-mig-590.48.01": [
    [null, 45, H100, SXM, false, null, 0, GEN5, REGISTERED, [2560, 0]],
    [null, 24, H100, SXM, false, null, 0, GEN5, REGISTERED, [2560, 0]],
  ],
  "h200-590.48.01": [
    [0, 59, [1980, 3201], SXM, false, 0, 0, GEN5, REGISTERED, [3072, 0]],
    [0, 35, [1980, 3201], SXM, false, 0, 0, GEN5, REGISTERED, [3072, 0]],
  ],
  "rtx2080super-linux-595.71.05": [
    [0, null, RTX2080, RTX2080_LIMITS, null, null, 212_553_937, [3, 16], null, null],
    [100, null, RTX2080, RTX2080_LIMITS, null, null, 221_310_321, [3, 16], null, null],
  ],
  "rtx2080super-windows-591.86": [
    [0, null, RTX2080, RTX2080_LIMITS, null, null, 5_451_018_134, [3, 16], null, null],
    [100, null, RTX2080, RTX2080_LIMITS, null, null, 5_459_682_741, [3, 16], null, null],
  ],
  "rtx4080super-linux-595.71.05": [
    [0, null, RTX4080, RTX4080_LIMITS, false, null, 0, [4, 16], null, null],
    [72, null, RTX4080, RTX4080_LIMITS, false, null, 0, [4, 16], null, null],
  ],
};

interface Capture {
  readonly id: string;
  readonly name: string;
  readonly driver: string;
  readonly idle: Values;
  readonly load: Values;
  /** compute-apps rows: how many, and the first's pid, name and MiB. */
  readonly idleApps: readonly [number, number?, string?, (number | null)?];
  readonly loadApps: readonly [number, number?, string?, (number | null)?];
}

const TEXT_INPUT_HOST =
  "C:\\Windows\\SystemApps\\MicrosoftWindows.Client.CBS_cw5n1h2txyewy\\TextInputHost.exe";
const CAPTURES: readonly Capture[] = [
  {
    id: "h100-590.48.01",
    name: "NVIDIA H100 80GB HBM3",
    driver: "590.48.01",
    idle: [0, 0, 81559, 41, 69.85, 345],
    load: [100, 19818, 81559, 59, 631.95, 1980],
    idleApps: [0],
    loadApps: [3, 11327, "/root/tools/memhog", 2566],
  },
  {
    id: "h100-mig-590.48.01",
    name: "NVIDIA H100 80GB HBM3",
    driver: "590.48.01",
    idle: [null, 59, 81559, 42, 71.15, 345],
    load: [null, 11125, 81559, 53, 433.78, 1980],
    idleApps: [0],
    loadApps: [3, 21180, "/root/tools/memhog", 2296],
  },
  {
    id: "h200-590.48.01",
    name: "NVIDIA H200",
    driver: "590.48.01",
    idle: [0, 0, 143771, 28, 77.71, 345],
    load: [100, 32362, 143771, 52, 627.4, 1980],
    idleApps: [0],
    loadApps: [3, 10291, "/root/tools/memhog", 2566],
  },
  {
    id: "rtx2080super-linux-595.71.05",
    name: "NVIDIA GeForce RTX 2080 SUPER",
    driver: "595.71.05",
    idle: [0, 214, 8192, 40, 39.32, 765],
    load: [8, 819, 8192, 45, 111.5, 2055],
    idleApps: [0],
    loadApps: [2, 5268, "ffmpeg", 370],
  },
  {
    id: "rtx2080super-windows-591.86",
    name: "NVIDIA GeForce RTX 2080 SUPER",
    driver: "591.86",
    idle: [0, 702, 8192, 40, 38.92, 300],
    load: [7, 1296, 8192, 45, 97.43, 2055],
    idleApps: [10, 12444, TEXT_INPUT_HOST, null],
    loadApps: [12, 12444, TEXT_INPUT_HOST, null],
  },
  {
    id: "rtx4080super-linux-595.71.05",
    name: "NVIDIA GeForce RTX 4080 SUPER",
    driver: "595.71.05",
    idle: [0, 596, 16376, 43, 26.2, 210],
    load: [7, 1474, 16376, 46, 84.24, 2805],
    idleApps: [1, 2165, "/usr/bin/kwin_wayland", 25],
    loadApps: [3, 2165, "/usr/bin/kwin_wayland", 25],
  },
];

function deeperOf(id: string, state: "idle" | "load"): Deeper {
  const found = DEEPER[id]?.[state === "idle" ? 0 : 1];
  assert.ok(found !== undefined, id);
  return found;
}

const captureRows = CAPTURES.flatMap((capture) =>
  (["idle", "load"] as const).flatMap((state): FixtureRow[] => {
    const device = { 0: values(capture.name, capture.driver, capture[state]) };
    const more = deeper(deeperOf(capture.id, state));
    const [rows, pid, name, mib] = capture[`${state}Apps`];
    const first = {
      pid: pid ?? null,
      process_name: name ?? null,
      used_memory: typeof mib === "number" ? mib * MIB : null,
    };
    const file = `${capture.id}__${state}.csv`;
    return [
      {
        file: `query-gpu-all__${file}`,
        count: 1,
        devices: { 0: { ...device[0], ...more } },
        read: queried([]),
      },
      { file: `derived/ten-col__${file}`, count: 1, devices: device, read: queried(TEN_FIELDS) },
      {
        file: `compute-apps__${file}`,
        count: rows,
        devices: pid === undefined ? {} : { 0: first },
        read: processes([]),
      },
    ];
  }),
);

const CUDA: Readonly<Record<string, string>> = { "590.48.01": "13.1", "591.86": "13.1", "595.71.05": "13.2" };
const versionRows = CAPTURES.map(({ id, driver }): FixtureRow => ({
  file: `version__${id}.txt`,
  count: 1,
  devices: { 0: { cuda: CUDA[driver] ?? "no such driver" } },
  read: (text) => facts([{ cuda: cudaVersionIn(text) }]),
}));

const MASKED = "GPU-00000000-0000-0000-0000-000000000000";
const listRows = CAPTURES.map(({ id }): FixtureRow => {
  const mig = id.includes("mig");
  return {
    file: `list-L__${id}.txt`,
    count: 1,
    devices: {
      0: {
        uuid: MASKED,
        instances: mig
          ? [
              "3g.40gb 0 MIG-00000000-0000-0000-0000-000000000000",
              "2g.20gb 1 MIG-00000001-0000-0000-0000-000000000001",
              "1g.10gb 2 MIG-00000002-0000-0000-0000-000000000002",
              "1g.10gb 3 MIG-00000003-0000-0000-0000-000000000003",
            ].join("; ")
          : "",
      },
    },
    read: listed,
  };
});

/** File, name, driver, bus id, values; the first GPU's where there are several. */
const XML: readonly (readonly [string, string, string | undefined, string, Values])[] = [
  [
    "2x-gtx1070-384.66",
    "GeForce GTX 1070",
    "384.66",
    "00000000:01:00.0",
    [100, 2028, 8112, 60, 119.47, 1923],
  ],
  [
    "a100-sxm4-80gb-mig-535.54.03",
    "NVIDIA A100-SXM4-80GB",
    "535.54.03",
    "00000000:01:00.0",
    [null, 50, 81920, 27, 67.03, 1275],
  ],
  ["a10g-515.105.01", "NVIDIA A10G", "515.105.01", "00000000:00:1E.0", [0, 22, 23028, 17, 25.58, 210]],
  ["graphics-device-418.43", "Graphics Device", "418.43", "00000000:43:00.0", [0, 0, 5912, 40, 8.93, 300]],
  // Printed are 0 C, 0 MHz and power N/A (see INDEX): a vGPU guest does not get its temperature and clock.
  ["grid-p4-1q-vgpu-513.46", "GRID P4-1Q", "513.46", "00000000:00:0B.0", [0, 807, 1024, null, null, null]],
  [
    "gt730-384.111-trimmed",
    "GeForce GT 730",
    "384.111",
    "00000000:01:00.0",
    [null, null, null, null, null, null],
  ],
  [
    "gtx1070ti-trimmed-v10",
    "GeForce GTX 1070 Ti",
    undefined,
    "00000000:01:00.0",
    [0, 42, 4096, 39, null, 135],
  ],
  ["quadro-p2000-525.125.06", "Quadro P2000", "525.125.06", "00000000:17:00.0", [0, 1, 5120, 34, 4.61, 139]],
  [
    "rtx2070-590.44.01-trimmed-to-gpu0",
    "NVIDIA GeForce RTX 2070",
    "590.44.01",
    "00000000:01:00.0",
    [0, 1, 8192, 14, 9.23, 300],
  ],
  [
    "rtx3060-570.124.04",
    "NVIDIA GeForce RTX 3060",
    "570.124.04",
    "00000000:2D:00.0",
    [0, 116, 12288, 42, 11.6, 210],
  ],
  [
    "rtx3080-windows-536.40",
    "NVIDIA GeForce RTX 3080",
    "536.40",
    "00000000:04:00.0",
    [0, 1128, 10240, 31, 22.78, 210],
  ],
  [
    "rtx3090-525.147.05",
    "NVIDIA GeForce RTX 3090",
    "525.147.05",
    "00000000:00:10.0",
    [0, 1, 24576, 37, 27.23, 0],
  ],
];
const SECOND_GTX1070 = {
  ...values("GeForce GTX 1070", "384.66", [98, 4057, 8114, 59, 139.3, 1936]),
  pci_bus_id: "00000000:03:00.0",
};
/**
 * Of the first GPU: CUDA, encoder %, PCIe maxima, maxima of graphics and memory clock, power limits (default, min, max);
 * null where the element is N/A or absent.
 */
type Xml = readonly [
  cuda: string | null,
  encoder: number | null,
  pcie: readonly [number, number] | null,
  clocks: readonly [number, number] | null,
  limits: readonly [number, number, number] | null,
];
const XML_DEEPER: Readonly<Record<string, Xml>> = {
  "2x-gtx1070-384.66": [null, 0, [3, 16], [1961, 4004], [180, 90, 200]],
  "a100-sxm4-80gb-mig-535.54.03": ["12.2", null, [4, 16], [1410, 1593], [500, 100, 500]],
  "a10g-515.105.01": ["11.7", 0, [4, 16], [1710, 6251], [300, 100, 300]],
  "graphics-device-418.43": ["10.1", 0, [3, 16], [2145, 4001], [130, 70, 130]],
  "grid-p4-1q-vgpu-513.46": ["11.6", 0, null, null, null],
  "gt730-384.111-trimmed": [null, null, null, null, null],
  "gtx1070ti-trimmed-v10": [null, null, null, null, null],
  "quadro-p2000-525.125.06": ["12.0", 0, [3, 16], [1721, 3504], [75, 75, 75]],
  "rtx2070-590.44.01-trimmed-to-gpu0": ["13.1", 0, [3, 16], [2100, 7001], [175, 125, 200]],
  "rtx3060-570.124.04": ["12.8", 0, [4, 16], [2145, 7501], [170, 100, 190]],
  "rtx3080-windows-536.40": ["12.2", 0, [4, 16], [2100, 9501], [320, 100, 336]],
  "rtx3090-525.147.05": ["12.0", 0, [4, 16], [2100, 9751], [350, 100, 375]],
};
function xmlDeeper(id: string) {
  const row = XML_DEEPER[id];
  assert.ok(row !== undefined, id);
  const [cuda, encoder, pcie, clocks, limits] = row;
  const all = {
    "detail.cuda_version": cuda,
    encoder_utilization: encoder,
    pcie_link_gen_max: pcie?.[0] ?? null,
    pcie_link_width_max: pcie?.[1] ?? null,
    frequency_max: clocks?.[0] ?? null,
    clock_memory_max: clocks?.[1] ?? null,
    power_limit_default: limits?.[0] ?? null,
    power_limit_min: limits?.[1] ?? null,
    power_limit_max: limits?.[2] ?? null,
  };
  // The trimmed files lack whole elements, so their GPUs lack the fields.
  const known = Object.entries(all).filter(([, value]) => value !== null || !id.includes("trimmed"));
  return Object.fromEntries(known.filter(([key, value]) => value !== null || !key.startsWith("detail.")));
}

const xmlRows = XML.map(([id, name, driver, bus, cells]): FixtureRow => {
  const isPair = id.startsWith("2x-");
  const first = { ...values(name, driver, cells), ...xmlDeeper(id), pci_bus_id: bus };
  return {
    file: `xml__${id}.xml`,
    count: isPair ? 2 : 1,
    devices: isPair ? { 0: first, 1: SECOND_GTX1070 } : { 0: first },
    read: fromXml,
  };
});

const migRows: readonly FixtureRow[] = [
  {
    file: "xml__a100-sxm4-80gb-mig-535.54.03.xml",
    count: 4,
    devices: {
      0: { gpuInstance: 3, multiprocessors: 14, sramUncorrected: 0, totalMemory: 19968 * MIB },
      1: { gpuInstance: 4, multiprocessors: 14, sramUncorrected: 0, totalMemory: 19968 * MIB },
    },
    read: (text) => facts(readSmiXml(text).flatMap(({ migDevices }) => migDevices)),
  },
];

const healthy4080 = values("NVIDIA GeForce RTX 4080 SUPER", "595.71.05", [0, 596, 16376, 43, 26.2, 210]);
const otherRows: readonly FixtureRow[] = [
  {
    file: "derived/ten-col__composed-failed-gpu-between.txt",
    count: 3,
    devices: { 0: healthy4080, 2: healthy4080 },
    read: queried(TEN_FIELDS),
  },
  {
    file: "derived/ten-col__composed-gb10-unified-memory.csv",
    count: 1,
    devices: {
      0: { ...values("NVIDIA GB10", "580.142", [0, null, null, 52, 10.8, 2405]), memory_source: "host" },
    },
    read: queried(TEN_FIELDS),
  },
  {
    file: "derived/query__3050ti-a100-util-na.csv",
    count: 2,
    devices: {
      0: {
        temperature: 48,
        used_memory: 12 * MIB,
        total_memory: 4096 * MIB,
        utilization: 26.3,
        power_consumption: 12.73,
      },
      1: {
        name: "NVIDIA A100-PCIE-40GB",
        temperature: 38,
        used_memory: 74 * MIB,
        total_memory: 40960 * MIB,
        utilization: null,
        power_consumption: 36.79,
      },
    },
    read: queried([
      "index",
      "name",
      "temperature.gpu",
      "memory.used",
      "memory.total",
      "utilization.gpu",
      "power.draw",
    ]),
  },
  {
    file: "query__4x-a10-noheader-nounits.csv",
    count: 4,
    devices: {
      0: {
        name: "NVIDIA A10",
        temperature: 45,
        used_memory: 19676 * MIB,
        total_memory: 23028 * MIB,
        utilization: 0,
        power_consumption: 58.98,
      },
      2: {
        temperature: 44,
        used_memory: 21700 * MIB,
        total_memory: 23028 * MIB,
        utilization: 0,
        power_consumption: 59.57,
      },
    },
    read: queried([
      "index",
      "name",
      "temperature.gpu",
      "memory.used",
      "memory.total",
      "utilization.gpu",
      "power.draw",
    ]),
  },
  {
    file: "query__gtx1070ti-2018-noheader-nounits.csv",
    count: 1,
    devices: {
      1: {
        name: "GeForce GTX 1070 Ti",
        utilization: 100,
        used_memory: 553 * MIB,
        total_memory: 8114 * MIB,
        temperature: 61,
        fan_speed_percent: 85,
        performance_state: 2,
      },
    },
    read: queried([
      "fan.speed",
      "memory.total",
      "memory.used",
      "memory.free",
      "pstate",
      "temperature.gpu",
      "name",
      "uuid",
      "compute_mode",
      "utilization.gpu",
      "utilization.memory",
      "index",
    ]),
  },
  {
    file: "derived/compute-apps__composed-windows-wddm.csv",
    count: 2,
    devices: {
      0: { pid: 1852, process_name: null, used_memory: null },
      1: { pid: 22884, process_name: "...\\ollama\\llama-server.exe", used_memory: null },
    },
    read: processes(APPS_FIELDS.slice(1)),
  },
  {
    file: "errors/driver-not-loaded.txt",
    count: 1,
    devices: { 0: { verdict: "broken", message: "the NVIDIA driver is not loaded" } },
    read: failed,
  },
  {
    file: "errors/no-devices.txt",
    count: 1,
    devices: {
      0: {
        verdict: "broken",
        message:
          "the NVIDIA driver is loaded and shows no GPU (none is there, it failed to start, or a container hides it)",
      },
    },
    read: failed,
  },
  {
    file: "errors/nvml-mismatch-old.txt",
    count: 1,
    devices: {
      0: {
        verdict: "broken",
        message:
          "the NVIDIA library and the loaded kernel driver differ in version (reload the driver or reboot)",
      },
    },
    read: failed,
  },
  {
    file: "errors/gpu-lost.txt",
    count: 1,
    devices: {
      0: {
        ...values(null, undefined, [null, null, null, null, null, null]),
        error: "GPU is lost. Reboot the system to recover this GPU",
        pci_bus_id: "00000000:41:00.0",
        errors: 1,
      },
    },
    read: failed,
  },
  {
    file: "single-field__temperature.memory.txt",
    count: 1,
    devices: { 0: { text: null } },
    read: (text) => facts([{ text: textCell(text) }]),
  },
  {
    file: "help-query-gpu__h100-590.48.01.txt",
    count: 1,
    devices: { 0: { fields: 69, everyTick: 52, throttle: "clocks_event_reasons.active" } },
    read: (text) => {
      const fields = fieldsInHelp(text);
      const everyTick = withoutSeldom(fields).length;
      return facts([
        { fields: fields.length, everyTick, throttle: fields.find((field) => field.includes("reasons")) },
      ]);
    },
  },
];

const notParsed = (file: string, why: string): UnusedFixture => ({ file, why });
const unused: readonly UnusedFixture[] = [
  ...CAPTURES.map(({ id }) =>
    notParsed(`table__${id}__load.txt`, "the bare table is for people; not asked for"),
  ),
  notParsed("table__h100-mig-590.48.01__idle.txt", "the bare table is for people; not asked for"),
  notParsed("table__hidden-name-err-fan-525.125.06.txt", "the bare table is for people; not asked for"),
  notParsed("q-text__a10-535.129.03.txt", "-q as text has the same content as -q -x; not asked for"),
  notParsed(
    "q-text__h100-mig-590.48.01__idle.txt",
    "-q as text has the same content as -q -x; not asked for",
  ),
];

testFixtures(
  "nvidia-smi",
  [...captureRows, ...versionRows, ...listRows, ...xmlRows, ...migRows, ...otherRows],
  unused,
);
