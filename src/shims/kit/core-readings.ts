/** What a tool must report of a device to be of use, the same for every tool. */
import type { Gpu } from "../../contract/record.js";

const CORE = ["utilization", "temperature", "memory", "power"] as const;
export type CoreReading = (typeof CORE)[number];

/** Those of the core readings that no device has; none where there is no device, or where all have failed. */
export function lackingOf(gpus: readonly Gpu[]): readonly CoreReading[] {
  const alive = gpus.filter((gpu) => gpu.error === undefined);
  if (alive.length === 0) return [];
  return CORE.filter((reading) => !alive.some((gpu) => hasReading(gpu, reading)));
}

/** Whether a tool lists devices and reports nothing of them: another that reports is better. */
export function isPoor(gpus: readonly Gpu[]): boolean {
  return lackingOf(gpus).length === CORE.length;
}

/** Memory of the host's own (`memory_source` host) is filled in from the host. */
export function isComplete(gpus: readonly Gpu[]): boolean {
  const lacking = lackingOf(gpus).filter((reading) => reading !== "memory");
  return lacking.length === 0;
}

function hasReading(gpu: Gpu, reading: CoreReading): boolean {
  switch (reading) {
    case "utilization":
      return gpu.utilization !== null;
    case "temperature":
      return gpu.temperature !== null;
    case "memory":
      return gpu.used_memory !== null || gpu.total_memory !== null;
    case "power":
      return gpu.power_consumption !== null;
  }
}
