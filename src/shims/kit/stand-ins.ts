/**
 * Numbers that tools print in place of a reading that they do not have. All ones: their libraries use it for "not
 * available" (nvml.h NVML_VALUE_NOT_AVAILABLE, amdsmi.h and rocm_smi.h UINT_MAX fields, Level Zero's -1 as unsigned), and
 * a PCIe device that no longer answers reads as ones too. And a whole chip of zeros.
 */
import type { Gpu } from "../../contract/record.js";

// 2^31 - 1, 2^32 - 1, 2^63 - 1 and 2^64 - 1. The last two as a double rounds them, and as nvidia-smi converts them to MiB.
const ALL_ONES: ReadonlySet<number> = new Set([
  2 ** 31 - 1,
  2 ** 32 - 1,
  2 ** 63,
  2 ** 64,
  2 ** 43 - 1,
  2 ** 44 - 1,
]);

/** All ones of 31, 32, 63 or 64 bits, also in thousandths (4294967.295 from mW). */
export function isAllOnes(value: number): boolean {
  if (value < 2_147_483) return false;
  return ALL_ONES.has(value) || THOUSANDTHS.has(Math.round(value * 100));
}
const THOUSANDTHS: ReadonlySet<number> = new Set([429_496_730, 429_496_729, 214_748_365, 214_748_364]);

/** Of either pattern below. */
const MIN_ALL_ONES_CHARS = 10;

/** `4294967295`, `0xffffffff` and longer: not a name, serial number or id. */
export function isAllOnesText(text: string): boolean {
  if (text.length < MIN_ALL_ONES_CHARS) return false;
  return /^0x(?:f{8}|f{16})$/i.test(text) || (/^\d{10,20}$/.test(text) && ALL_ONES.has(Number(text)));
}

/**
 * The same device; with null for its zeros where the temperature is 0 and no other live reading is above 0. Such a chip
 * was not read (a board behind a hung bus, a vGPU guest). A chip that is only cold draws power or has a clock.
 */
export function withoutZeros(gpu: Gpu): Gpu {
  if (gpu.temperature !== 0) return gpu;
  const live = [gpu.utilization, gpu.frequency, gpu.power_consumption, gpu.used_memory, gpu.clock_memory];
  if (live.some((value) => typeof value === "number" && value > 0)) return gpu;
  const unread: Record<string, null> = {};
  for (const key of LIVE) if (gpu[key] === 0) unread[key] = null;
  // With used memory 0, the free memory was only computed from it.
  if (gpu.used_memory === 0 && gpu.memory_free === gpu.total_memory) unread["memory_free"] = null;
  return { ...gpu, ...unread };
}
const LIVE = [
  "temperature",
  "temperature_memory",
  "utilization",
  "memory_utilization",
  "encoder_utilization",
  "decoder_utilization",
  "tensorcore_utilization",
  "power_consumption",
  "frequency",
  "clock_memory",
  "clock_sm",
  "used_memory",
  "memory_free",
  "fan_speed_percent",
] as const;
