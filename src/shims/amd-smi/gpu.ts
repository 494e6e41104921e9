/** One GPU of amd-smi's JSON. */
import type { Gpu } from "../../contract/record.js";
import { accelerator, freeOf } from "../kit/accelerator.js";
import {
  bytesCell,
  celsiusCell,
  fanCell,
  integerCell,
  joulesCell,
  linkCell,
  megahertzCell,
  numberCell,
  percentCell,
  presentTexts,
  readingText,
  textCell,
  wattsCell,
  wattsLimitCell,
} from "../kit/cells.js";
import { meanOf } from "../kit/digits.js";
import { badPageTexts, type AmdSysfsCards } from "../kit/amd-sysfs.js";
import { at, findJson, isObject, type JsonObject } from "../kit/json-text.js";
import { pcieGeneration, replaysOf } from "../kit/pcie.js";
import { eccOf, rasTexts, throttleReasons } from "./ras.js";
import { read, unwrapped } from "./values.js";

export interface ItemsByGpu {
  readonly byGpu: ReadonlyMap<number, JsonObject>;
  readonly cut: boolean;
}

/** Objects with a `gpu` number: in a list, in {"gpu_data": list}, or a single one. The first of each number counts. */
export function itemsByGpu(stdout: string): ItemsByGpu {
  const { documents, cut } = findJson(stdout);
  const byGpu = new Map<number, JsonObject>();
  for (const document of documents) {
    const list = at(document, "gpu_data") ?? document;
    for (const item of Array.isArray(list) ? (list as readonly unknown[]) : [list]) {
      const gpu = integerCell(at(item, "gpu"));
      if (gpu !== null && isObject(item) && !byGpu.has(gpu)) byGpu.set(gpu, item);
    }
  }
  return { byGpu, cut };
}

/** What the tool printed of one GPU in `metric`, `static` and `list`, and what the driver has of it. */
export interface AmdGpuSources {
  readonly metric: JsonObject;
  readonly fixed: JsonObject | undefined;
  readonly listed: JsonObject | undefined;
  readonly rocmVersion: string | null;
  /** By PCI address. */
  readonly sysfs: AmdSysfsCards;
}

export function amdGpu(index: number, { metric, fixed, listed, rocmVersion, sysfs }: AmdGpuSources): Gpu {
  const address = read(listed, textCell, ["bdf"], ["gpu_bdf"]) ?? read(fixed, textCell, ["bus", "bdf"]);
  const name = read(fixed, textCell, ["board", "product_name"], ["asic", "market_name"]);
  const partition =
    read(fixed, textCell, ["partition", "partition_id"]) ?? read(listed, textCell, ["partition_id"]);
  const memory = memoryOf(metric, fixed, name);
  return accelerator("GPU", {
    index,
    uuid:
      read(listed, textCell, ["uuid"], ["gpu_uuid"]) ??
      read(fixed, textCell, ["uuid"], ["asic", "asic_serial"]),
    name,
    serial: read(fixed, textCell, ["board", "product_serial"]),
    pci_bus_id: address,
    driver_version: read(fixed, textCell, ["driver", "version"], ["driver", "driver_version"]),
    utilization:
      read(metric, percentCell, ["usage", "gfx_activity"], ["usage", "gfx_usage"]) ??
      meanBusy(at(metric, "usage", "gfx_busy_inst", `xcp_${partition ?? "0"}`)),
    memory_utilization: read(metric, percentCell, ["usage", "umc_activity"], ["usage", "mem_usage"]),
    ...memory,
    memory_free: freeOf(memory.total_memory, memory.used_memory),
    // MI300 has no edge sensor.
    temperature: read(
      metric,
      celsiusCell,
      ["temperature", "edge"],
      ["temperature", "edge_temperature"],
      ["temperature", "hotspot"],
      ["temperature", "hotspot_temperature"],
      ["temperature", "junction"],
    ),
    temperature_memory: read(metric, celsiusCell, ["temperature", "mem"], ["temperature", "mem_temperature"]),
    power_consumption: read(
      metric,
      wattsCell,
      ["power", "socket_power"],
      ["power", "current_power"],
      ["power", "current_socket_power"],
      ["power", "average_socket_power"],
    ),
    power_limit:
      read(
        fixed,
        wattsLimitCell,
        ["limit", "socket_power"],
        ["limit", "ppt0", "socket_power_limit"],
        ["limit", "max_power"],
        ["limit", "ppt0", "max_power_limit"],
      ) ?? read(metric, wattsLimitCell, ["power", "power_limit"]),
    frequency: clockOf(metric, "gfx"),
    clock_memory: clockOf(metric, "mem"),
    fan_speed_percent: read(metric, fanCell, ["fan", "usage"]),
    ...energyOf(metric),
    ...eccOf(metric),
    ...pcieOf(metric),
    throttle_reasons: throttleReasons(metric),
    pcie_link_width: read(metric, linkCell, ["pcie", "width"], ["pcie", "current_width"]),
    pcie_link_gen: pcieGeneration(read(metric, textCell, ["pcie", "speed"], ["pcie", "current_speed"])),
    ...maxLinkOf(fixed),
    numa_node_id: read(fixed, integerCell, ["numa", "node"]),
    detail: {
      ...fixedTexts(fixed, rocmVersion, partition),
      ...presentTexts({
        hotspot_temperature: read(metric, (raw) => readingText(raw, celsiusCell), ["temperature", "hotspot"]),
        gfx_voltage: read(metric, textCell, ["power", "gfx_voltage"]),
        fan_rpm: read(metric, (raw) => readingText(raw, numberCell), ["fan", "rpm"]),
        performance_level: read(metric, textCell, ["perf_level"]),
      }),
      ...rasTexts(metric, fixed),
      ...badPageTexts(sysfs.get(address?.toLowerCase() ?? "")?.badPages),
    },
  });
}

/** What does not change while the driver is loaded, from `static`. */
function fixedTexts(
  fixed: JsonObject | undefined,
  rocmVersion: string | null,
  partition: string | null,
): Gpu["detail"] {
  return presentTexts({
    rocm_version: rocmVersion,
    vendor: read(fixed, textCell, ["asic", "vendor_name"]),
    market_name: read(fixed, textCell, ["asic", "market_name"]),
    gfx_version: read(fixed, textCell, ["asic", "target_graphics_version"]),
    compute_units: read(fixed, textCell, ["asic", "num_compute_units"]),
    compute_partition: read(
      fixed,
      textCell,
      ["partition", "accelerator_partition"],
      ["partition", "compute_partition"],
    ),
    memory_partition: read(fixed, textCell, ["partition", "memory_partition"]),
    partition_id: partition,
    vbios_version: read(fixed, textCell, ["vbios", "version"], ["ifwi", "version"]),
    slowdown_hotspot_temperature: read(fixed, textCell, ["limit", "slowdown_hotspot_temperature"]),
    shutdown_hotspot_temperature: read(fixed, textCell, ["limit", "shutdown_hotspot_temperature"]),
    slowdown_vram_temperature: read(fixed, textCell, ["limit", "slowdown_vram_temperature"]),
    shutdown_vram_temperature: read(fixed, textCell, ["limit", "shutdown_vram_temperature"]),
  });
}

/** amdsmi_get_energy_count, in joules; a board without the counter has 0, which is no reading. */
function energyOf(metric: JsonObject): Pick<Gpu, "energy_consumed"> {
  if (at(metric, "energy") === undefined) return {};
  const joules = read(metric, joulesCell, ["energy", "total_energy_consumption"]);
  return { energy_consumed: joules === 0 ? null : joules };
}

/** Of `static`, which runs once; left out where this release prints none. */
function maxLinkOf(fixed: JsonObject | undefined): Partial<Gpu> {
  if (at(fixed, "bus", "max_pcie_width") === undefined) return {};
  return {
    pcie_link_width_max: read(fixed, linkCell, ["bus", "max_pcie_width"]),
    pcie_link_gen_max: pcieGeneration(read(fixed, textCell, ["bus", "max_pcie_speed"])),
  };
}

function pcieOf(metric: JsonObject): Pick<Gpu, "pcie"> {
  return replaysOf(read(metric, integerCell, ["pcie", "replay_count"]));
}

type MemoryOfGpu = Pick<Gpu, "total_memory" | "used_memory"> & Partial<Pick<Gpu, "memory_source">>;

/** An APU without its own memory (MI300A) uses the host's; GTT is its share of that. */
function memoryOf(metric: JsonObject, fixed: JsonObject | undefined, name: string | null): MemoryOfGpu {
  const mebibytes = (raw: unknown): number | null => bytesCell(raw, "MiB");
  const total = read(
    metric,
    mebibytes,
    ["mem_usage", "total_vram"],
    ["fb_usage", "fb_total"],
    ["fb_usage", "total_vram"],
  );
  const used = read(
    metric,
    mebibytes,
    ["mem_usage", "used_vram"],
    ["fb_usage", "fb_used"],
    ["fb_usage", "used_vram"],
  );
  const gtt = read(metric, mebibytes, ["mem_usage", "total_gtt"]);
  const withoutVram = total === null || total === 0 || /MI300A/i.test(name ?? "");
  if (withoutVram && gtt !== null && gtt > 0)
    return {
      total_memory: gtt,
      used_memory: read(metric, mebibytes, ["mem_usage", "used_gtt"]),
      memory_source: "host",
    };
  if (total === 0) return { total_memory: null, used_memory: null };
  return {
    total_memory: total ?? read(fixed, mebibytes, ["vram", "size"], ["vram", "vram_size"]),
    used_memory: used,
  };
}

/** The first value among `gfx_0` to `gfx_7`, or that of `gfx` in ROCm 5.7 and 6.0. */
function clockOf(metric: JsonObject, domain: "gfx" | "mem"): number | null {
  const names = [...Array.from({ length: 8 }, (_, i) => `${domain}_${String(i)}`), domain];
  return read(
    metric,
    megahertzCell,
    ...names.flatMap((name) => ["clk", "cur_clk"].map((key) => ["clock", name, key])),
  );
}

/** A partition's own activity, where that of the whole GPU is N/A: the mean over its compute dies. */
function meanBusy(raw: unknown): number | null {
  if (!Array.isArray(raw)) return null;
  const busy = raw.map((one: unknown) => percentCell(unwrapped(one))).filter((value) => value !== null);
  return meanOf(busy);
}
