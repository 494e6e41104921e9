/** The memory of each accelerator that none of its listed processes accounts for. */
import type { Gpu, Process } from "../contract/record.js";
import type { Reading } from "../shims/kit/shim.js";

/**
 * Adds `memory_unaccounted` (bytes) to the devices of one tool's reading, which are ours to add to, where the tool lists
 * processes. The two lists of a tool may be a moment apart: a process that ends between them leaves its memory
 * unaccounted for in one reading.
 */
export function withUnaccountedMemory(reading: Reading): Reading {
  const { gpus = [], processes } = reading.sections;
  if (processes === undefined) return reading;
  const isPartial = reading.errors.some(({ section }) => section === "process");
  const users = processes.filter(({ uses_gpu }) => uses_gpu);
  for (const gpu of gpus) {
    // Memory that is shared with the host belongs to every process of the host.
    if (gpu.memory_source === "host") continue;
    Object.assign(gpu, { memory_unaccounted: isPartial ? null : unaccounted(gpu, users) });
  }
  return reading;
}

/** Null where the device's memory or a process's share of it is not known. */
function unaccounted(gpu: Gpu, users: readonly Process[]): number | null {
  if (gpu.used_memory === null) return null;
  let left = gpu.used_memory;
  for (const process of users) {
    const share = shareOf(gpu, process);
    if (share === null) return null;
    left -= share;
  }
  // A process that began between the two lists, or a tool that counts shared pages twice, accounts for more than is used.
  return Math.max(0, left);
}

/** The bytes that a process holds on the device; null: not known. */
function shareOf(gpu: Gpu, process: Process): number | null {
  const { device_id: id, device_ids: ids, device_uuid: uuid, used_memory: used } = process;
  const index = gpu.index ?? null;
  // Its memory is that of all its devices together.
  if (ids !== undefined) return index === null || ids.includes(index) ? null : 0;
  if (id !== null && index !== null) return id === index ? used : 0;
  if (uuid !== null && gpu.uuid !== null) return uuid === gpu.uuid ? used : 0;
  return null;
}
