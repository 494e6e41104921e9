/** Accelerators that share the host's memory (GB10, Grace, Orin, APUs) have none of their own to tell. */
import type { Gpu, Memory } from "../contract/record.js";

/**
 * GPUs whose `memory_source` is "host" with the host's memory in the place of their own; the others as they are. Does
 * nothing without the host's memory, or where the tool itself gave a size.
 */
export function fillUnifiedMemory(
  gpus: readonly Gpu[],
  memory: readonly Memory[] | undefined,
): readonly Gpu[] {
  const host = memory?.[0];
  if (host === undefined || !gpus.some(lacksMemory)) return gpus;
  return gpus.map((gpu) => {
    if (!lacksMemory(gpu)) return gpu;
    return {
      ...gpu,
      total_memory: host.total_bytes,
      used_memory: gpu.used_memory ?? host.used_bytes,
      memory_free: gpu.memory_free ?? host.available_bytes,
    };
  });
}

function lacksMemory(gpu: Gpu): boolean {
  return gpu.memory_source === "host" && gpu.total_memory === null;
}
