/** How many bytes a frame of a tool's devices has, whole and with --compact. */
import type { FrameRecord, Gpu } from "../src/contract/record.js";
import { compactRecord } from "../src/format/compact.js";
import { TOOLS } from "../src/shims/registry.js";
import type { RecordedDevice } from "../test/support/golden.js";

export interface FrameSize {
  readonly tool: string;
  readonly whole: number;
  readonly compact: number;
}

const DEVICES = 8;
/** What distinguishes devices of one host, and what moves from tick to tick. */
const IDS = ["uuid", "serial", "pci_bus_id"] as const;
const READINGS = [
  ...["utilization", "memory_utilization", "temperature", "temperature_memory", "power_consumption"],
  ...["used_memory", "memory_free", "frequency"],
] as const;

/** In the order of the tools; a tool without recorded devices has none. */
export function frameSizes(devices: readonly RecordedDevice[]): readonly FrameSize[] {
  return TOOLS.flatMap(({ id }): readonly FrameSize[] => {
    const own = devices.filter(({ source, section }) => source === id && section === "gpu");
    const fullest = own.map(({ device }) => device as Gpu).sort((a, b) => lengthOf(b) - lengthOf(a))[0];
    if (fullest === undefined) return [];
    const record = frameOf(id, fullest);
    return [{ tool: id, whole: lengthOf(record), compact: lengthOf(compactRecord(record)) }];
  });
}

function frameOf(tool: string, gpu: Gpu): FrameRecord {
  const host = { host_id: "root@dgx-01:22", hostname: "dgx-01" };
  const timestamp = "2026-11-28T18:00:00.000Z";
  return {
    ...{ schema: 1, record: "frame", timestamp, tick: 7, ...host, target: "ssh://root@dgx-01", labels: {} },
    ...{ state: "connected", transport: tool, latency_ms: 12.3 },
    gpus: Array.from({ length: DEVICES }, (_, index) => ({
      ...deviceLike(gpu, index),
      ...{ ...host, instance: host.hostname, time: timestamp },
    })),
  };
}

/** The device as another of its kind would be read. */
function deviceLike(gpu: Gpu, index: number): Gpu {
  const ids = IDS.map((key) => [key, gpu[key]] as const).filter(([, text]) => typeof text === "string");
  const readings = READINGS.flatMap((key) => {
    const value: unknown = Reflect.get(gpu, key);
    return typeof value === "number" ? [[key, value + index] as const] : [];
  });
  const own = {
    index,
    ...Object.fromEntries(ids.map(([key, text]) => [key, `${String(text).slice(0, -1)}${index}`])),
  };
  return { ...gpu, ...own, ...Object.fromEntries(readings) };
}

function lengthOf(value: object): number {
  return Buffer.byteLength(JSON.stringify(value));
}
