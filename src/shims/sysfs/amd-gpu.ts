/** One GPU that amdgpu drives. Source: Documentation/gpu/amdgpu/thermal.rst, driver-misc.rst and ras.rst of Linux 6.16. */
import type { Gpu } from "../../contract/record.js";
import { freeOf } from "../kit/accelerator.js";
import { bytesCell, integerCell, megahertzCell, percentCell, presentTexts, textCell } from "../kit/cells.js";
import { replaysOf } from "../kit/pcie.js";
import { hertz, microwatts, microwattsLimit, millidegrees, pwmPercent } from "./kernel-cells.js";

type Values = ReadonlyMap<string, string>;

/** The GPU's readings in `now`; `facts` do not change while the host runs. */
export function amdReadings(now: Values, facts: Values): Partial<Gpu> {
  const temperatures = {
    edge: millidegrees(now.get("temp1_input")),
    junction: millidegrees(now.get("temp2_input")),
  };
  const isApu = facts.get("is_apu") === "1";
  return {
    utilization: percentCell(now.get("gpu_busy_percent")),
    memory_utilization: percentCell(now.get("mem_busy_percent")),
    ...memoryOf(now, isApu),
    // MI300 has no edge sensor.
    temperature: temperatures.edge ?? temperatures.junction,
    temperature_memory: millidegrees(now.get("temp3_input")),
    power_consumption: microwatts(now.get("power1_average")) ?? microwatts(now.get("power1_input")),
    power_limit: microwattsLimit(now.get("power1_cap")),
    frequency: hertz(now.get("freq1_input")) ?? currentLevel(now.get("pp_dpm_sclk")),
    clock_memory: hertz(now.get("freq2_input")) ?? currentLevel(now.get("pp_dpm_mclk")),
    ...(now.has("pwm1") ? { fan_speed_percent: pwmPercent(now.get("pwm1")) } : {}),
    ...memoryErrors(now.get("umc_err_count")),
    ...replaysOf(integerCell(now.get("pcie_replay_count"))),
  };
}

/** For `detail`. */
export function amdDetail(now: Values, facts: Values): Record<string, string> {
  const isApu = facts.get("is_apu") === "1";
  const ofApu = (name: string): string | null => (isApu ? textCell(now.get(name)) : null);
  const junction = millidegrees(now.get("temp2_input"));
  return presentTexts({
    vbios_version: textCell(facts.get("vbios_version")),
    compute_partition: textCell(facts.get("current_compute_partition")),
    memory_partition: textCell(facts.get("current_memory_partition")),
    hotspot_temperature: junction === null ? null : String(junction),
    fan_rpm: textCell(now.get("fan1_input")),
    vram_total: ofApu("mem_info_vram_total"),
    vram_used: ofApu("mem_info_vram_used"),
    gtt_total: ofApu("mem_info_gtt_total"),
    gtt_used: ofApu("mem_info_gtt_used"),
    power_note: isApu ? "includes the CPU" : null,
  });
}

type MemoryOfGpu = Pick<Gpu, "total_memory" | "used_memory"> & Partial<Gpu>;

/**
 * An APU uses the host's memory: the part that the firmware set apart for it (VRAM), and what it may map beside that (GTT).
 * Without VRAM (MI300A) there is only the second.
 */
function memoryOf(now: Values, isApu: boolean): MemoryOfGpu {
  const bytes = (name: string): number | null => bytesCell(now.get(name), "B");
  const [vram, gtt] = [bytes("mem_info_vram_total"), bytes("mem_info_gtt_total")];
  const [vramUsed, gttUsed] = [bytes("mem_info_vram_used"), bytes("mem_info_gtt_used")];
  const isHosts = isApu || (vram === 0 && gtt !== null && gtt > 0);
  if (!isHosts) return withFree(vram === 0 ? null : vram, vram === 0 ? null : vramUsed);
  return { ...withFree(sumOf(vram, gtt), sumOf(vramUsed, gttUsed)), memory_source: "host" };
}

function withFree(total: number | null, used: number | null): MemoryOfGpu {
  return { total_memory: total, used_memory: used, memory_free: freeOf(total, used) };
}

function sumOf(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a + b;
}

/** `2: 2100Mhz *`: the level that is in use. */
function currentLevel(line: string | undefined): number | null {
  return megahertzCell(/^\d+: (\d+)Mhz \*$/i.exec(line ?? "")?.[1]);
}

/** `ue: 0 ce: 3`: the driver counts from its start on. Nothing where the memory has no error correction. */
function memoryErrors(text: string | undefined): Partial<Gpu> {
  if (text === undefined) return {};
  return {
    ecc_corrected_since_load: integerCell(/\bce: (\d+)\b/.exec(text)?.[1]),
    ecc_uncorrected_since_load: integerCell(/\bue: (\d+)\b/.exec(text)?.[1]),
  };
}
