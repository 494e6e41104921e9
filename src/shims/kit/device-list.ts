/** The devices of one answer: each once, and which core readings they lack. */
import type { Gpu } from "../../contract/record.js";

/**
 * Each device once, sorted by index: a tool may print a device twice, and several devices under one index. Two rows are
 * one device where the index is the same and no address, id or device file differs. Where several devices have one index
 * (Rebellions' dies of one card), no index is used: all get the number from `numberOf`, or else their place in the list.
 */
export function distinctDevices(
  gpus: readonly Gpu[],
  numberOf: (gpu: Gpu) => number | null = () => null,
): readonly Gpu[] {
  const first = new Map<string, Gpu>();
  for (const gpu of gpus) {
    const key = identityOf(gpu);
    if (!first.has(key)) first.set(key, gpu);
  }
  const devices = [...first.values()];
  return numbered(devices, numberOf).sort((a, b) => sortKey(a) - sortKey(b));
}

function numbered(devices: Gpu[], numberOf: (gpu: Gpu) => number | null): Gpu[] {
  const own = devices.flatMap(({ index }) => index ?? []);
  if (new Set(own).size === own.length && (own.length > 0 || devices.length === 0)) return devices;
  const other = devices.flatMap((gpu) => numberOf(gpu) ?? []);
  const isOther = new Set(other).size === devices.length;
  return devices.map((gpu, at) => ({ ...gpu, index: isOther ? numberOf(gpu) : at }));
}

function identityOf(gpu: Gpu): string {
  const { device, device_file: file } = gpu.detail;
  return JSON.stringify([gpu.index, gpu.uuid, gpu.pci_bus_id?.toLowerCase(), gpu.serial, device, file]);
}

/** A device without an index comes last. */
function sortKey({ index }: Gpu): number {
  return index ?? Number.MAX_SAFE_INTEGER;
}

/** What every tool should report of a device. */
const CORE = ["utilization", "temperature", "memory", "power"] as const;
export type CoreReading = (typeof CORE)[number];

/** The core readings that no device has; none where there is no device, or where all have failed. */
export function lackingOf(gpus: readonly Gpu[]): readonly CoreReading[] {
  const alive = gpus.filter((gpu) => gpu.error === undefined);
  if (alive.length === 0) return [];
  return CORE.filter((reading) => !alive.some((gpu) => hasReading(gpu, reading)));
}

/** Whether a tool lists devices without any reading; another tool that has readings is better. */
export function isPoor(gpus: readonly Gpu[]): boolean {
  return lackingOf(gpus).length === CORE.length;
}

/** Whether no core reading lacks but memory, which the host's own readings fill in (`memory_source` host). */
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
