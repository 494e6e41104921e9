/** The device object that every accelerator shim fills. */
import type { Gpu, Process } from "../../contract/record.js";
import { withoutZeros } from "./stand-ins.js";

/** A device with the given fields. all-smi's other required fields are null, and so are the readings of a chip of zeros. */
export function accelerator(deviceType: "GPU" | "NPU" | "TPU", known: Partial<Gpu>): Gpu {
  return withoutZeros(Object.assign(blankDevice(deviceType), known));
}

/** The fields that every device of all-smi has, without a reading. */
export function blankDevice(deviceType: "GPU" | "NPU" | "TPU"): Gpu {
  return {
    uuid: null,
    name: null,
    device_type: deviceType,
    utilization: null,
    ane_utilization: null,
    dla_utilization: null,
    tensorcore_utilization: null,
    temperature: null,
    used_memory: null,
    total_memory: null,
    frequency: null,
    power_consumption: null,
    gpu_core_count: null,
    detail: {},
  };
}

export type ToolProcess = Partial<Process> &
  Pick<Process, "pid" | "process_name" | "device_id" | "device_uuid" | "used_memory">;

/** A process as a vendor tool reports it; the fields that only `ps` knows are null. */
export function acceleratorProcess(known: ToolProcess): Process {
  return {
    cpu_percent: null,
    memory_percent: null,
    memory_rss: null,
    memory_vms: null,
    user: null,
    state: null,
    start_time: null,
    cpu_time: null,
    command: null,
    ppid: null,
    threads: null,
    uses_gpu: true,
    priority: null,
    nice_value: null,
    gpu_utilization: null,
    ...known,
  };
}

/** Finds the uuid of the first GPU with an index, for its processes. The list is searched once, not for each process. */
export function uuidsByIndex(gpus: readonly Gpu[]): (index: number | null | undefined) => string | null {
  const uuids = new Map<number | null | undefined, string | null>();
  for (const { index, uuid } of gpus) if (!uuids.has(index)) uuids.set(index, uuid);
  return (index) => uuids.get(index) ?? null;
}

/** Total minus used; null where one is unknown, or where more is used than there is. */
export function freeOf(total: number | null, used: number | null): number | null {
  return total !== null && used !== null && used <= total ? total - used : null;
}
