/** The devices of one answer, each once: a tool may print a device twice, and several under one number. */
import type { Gpu } from "../../contract/record.js";

/**
 * In order of their numbers, the first of each device. Two rows are one device where they have the same number and none
 * of their addresses, ids and device files differs. A number that several devices have (Rebellions' dies of one card)
 * numbers none of them: all get the other number that `numberOf` knows, or else their place in the list.
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
  return numbered(devices, numberOf).sort((a, b) => place(a) - place(b));
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

/** One without a number stands last. */
function place({ index }: Gpu): number {
  return index ?? Number.MAX_SAFE_INTEGER;
}
