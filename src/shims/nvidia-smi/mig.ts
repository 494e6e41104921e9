/** MIG instances: names and uuids from `nvidia-smi -L`, ids and memory from `nvidia-smi -q -x`. */
import type { Gpu, MigInstance } from "../../contract/record.js";
import { textCell } from "../kit/cells.js";
import type { XmlGpu } from "./xml.js";

interface ListedInstance {
  readonly device: number;
  readonly profile: string;
  readonly uuid: string | null;
}
interface ListedGpu {
  readonly index: number;
  readonly uuid: string | null;
  readonly instances: readonly ListedInstance[];
}

// No bracket in a uuid: otherwise each `(UUID: ` of a line would be scanned to the end of the line.
const GPU_LINE = /^GPU (\d+): .*\(UUID: ([^()]*)\)/;
// More than any host has, and more than any GPU is divided into. Bounded because each is searched for among all.
const MAX_GPUS = 1024;
const MAX_INSTANCES = 64;
// `  MIG 3g.40gb     Device  0: (UUID: MIG-...)`; profiles may hold `+me`, `.gfx`, `c.` as in `1c.3g.40gb`.
const MIG_LINE = /^\s+MIG (\S+)\s+Device\s+(\d+): \(UUID: ([^)]*)\)/;

/** Reads `nvidia-smi -L`; other lines are skipped. */
export function parseGpuList(text: string): readonly ListedGpu[] {
  const gpus: { index: number; uuid: string | null; instances: ListedInstance[] }[] = [];
  for (const line of text.split(/[\r\n]+/)) {
    const gpu = GPU_LINE.exec(line);
    if (gpu !== null && gpus.length === MAX_GPUS) break;
    if (gpu !== null) gpus.push({ index: Number(gpu[1]), uuid: textCell(gpu[2]), instances: [] });
    const mig = MIG_LINE.exec(line);
    const instances = gpus.at(-1)?.instances;
    if (mig !== null && instances !== undefined && instances.length < MAX_INSTANCES)
      instances.push({
        device: Number(mig[2]),
        profile: textCell(mig[1]) ?? "",
        uuid: textCell(mig[3]),
      });
  }
  return gpus;
}

/** The same GPUs, those in MIG mode with `mig_instances`. A value of an instance that neither source has is null. */
export function withMigInstances(
  gpus: readonly Gpu[],
  listed: readonly ListedGpu[],
  xml: readonly XmlGpu[],
): readonly Gpu[] {
  return gpus.map((gpu, place) => {
    if (gpu.mig_mode !== true || place >= MAX_GPUS) return gpu;
    const inList = listed.find((other) => isSame(gpu, other.index, other.uuid));
    const inXml = xml.find((other) => isSame(gpu, other.gpu.index, other.gpu.uuid));
    // The XML is read anyway here, and reads the link.
    const link = inXml?.gpu.pcie === undefined ? {} : { pcie: inXml.gpu.pcie };
    return { ...gpu, ...link, mig_instances: instancesOf(inList?.instances ?? [], inXml?.migDevices ?? []) };
  });
}

function isSame(gpu: Gpu, index: number | null | undefined, uuid: string | null): boolean {
  if (gpu.uuid !== null && uuid !== null) return gpu.uuid === uuid && sameIndex(gpu, index);
  return gpu.index !== undefined && gpu.index !== null && gpu.index === index;
}

// Recordings may have masked uuids, which several GPUs share. The XML has no index of its own, and a lost GPU shifts the
// count of its GPUs, so the index decides only where the uuid cannot.
function sameIndex(gpu: Gpu, index: number | null | undefined): boolean {
  return !/^GPU-[0-]+$/.test(gpu.uuid ?? "") || gpu.index === index;
}

function instancesOf(
  listed: readonly ListedInstance[],
  devices: XmlGpu["migDevices"],
): readonly MigInstance[] {
  const numbers = new Set([
    ...listed.map((instance) => instance.device),
    ...devices.map((device) => device.index).filter((index) => index !== null),
  ]);
  return [...numbers]
    .sort((a, b) => a - b)
    .map((number) => {
      const name = listed.find((instance) => instance.device === number);
      const state = devices.find((device) => device.index === number);
      return {
        gpu_instance_id: state?.gpuInstance ?? null,
        compute_instance_id: state?.computeInstance ?? null,
        uuid: name?.uuid ?? null,
        profile: name?.profile ?? null,
        used_memory: state?.usedMemory ?? null,
        total_memory: state?.totalMemory ?? null,
        multiprocessor_count: state?.multiprocessors ?? null,
        ecc_sram_uncorrected_since_load: state?.sramUncorrected ?? null,
      };
    });
}
