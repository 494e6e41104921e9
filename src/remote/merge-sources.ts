/** The readings of a host's tools as one: a vendor's devices after another's, each device once. */
import type { Gpu, Process, Sections } from "../contract/record.js";
import type { Reading } from "../shims/kit/shim.js";
import type { DeviceSource } from "./choose.js";
import { joinDevices } from "./join-devices.js";
import { isNativeShim } from "./probe.js";

/** What one source's tools read in a tick. */
export interface SourceReading {
  readonly source: DeviceSource;
  readonly main: Reading;
  readonly second: Reading | null;
}

/** The reading with the tool's id in each of its devices, which are ours to add to. */
export function withTool(reading: Reading, tool: string): Reading {
  for (const gpu of reading.sections.gpus ?? []) Object.assign(gpu, { tool });
  return reading;
}

/** The sources' in their order; what all-smi says of devices that a vendor's tool reports only fills that tool's. */
export function mergeSources(read: readonly SourceReading[]): Reading {
  const [only] = read;
  if (only === undefined) return { sections: {}, errors: [] };
  if (read.length === 1 && isAlone(only)) return only.main;
  const native = read.find(isOfNative);
  const vendors = read.filter((each) => each !== native);
  const sections: { -readonly [Key in keyof Sections]: Sections[Key] } = { ...native?.main.sections };
  const gpus = joinedGpus(vendors, native);
  if (gpus !== undefined) sections.gpus = gpus;
  const processes = joinedProcesses(vendors, native);
  if (processes !== undefined) sections.processes = processes;
  const isOutdated = read.some(({ main, second }) => main.outdated === true || second?.outdated === true);
  return {
    sections,
    errors: read.flatMap(({ main, second }) => [...main.errors, ...(second?.errors ?? [])]),
    ...(isOutdated ? { outdated: true } : {}),
    ...(areOurPids(read) ? { areOurPids: true } : {}),
  };
}

/** Only where every tool that lists processes looked them up on the host itself. */
function areOurPids(read: readonly SourceReading[]): boolean {
  const listing = read
    .flatMap(({ main, second }) => [main, second])
    .filter((each) => each?.sections.processes !== undefined);
  return listing.length > 0 && listing.every((each) => each?.areOurPids === true);
}

function isAlone({ source, second }: SourceReading): boolean {
  return second === null && (source.kind === "broken" || source.known.length === 0);
}

function isOfNative({ source }: SourceReading): boolean {
  return source.kind === "usable" && isNativeShim(source.main.shim);
}

function joinedGpus(
  vendors: readonly SourceReading[],
  native: SourceReading | undefined,
): readonly Gpu[] | undefined {
  const lists = vendors.map(gpusOf).filter((gpus) => gpus !== undefined);
  const own = native === undefined ? undefined : gpusOf(native);
  if (lists.length === 0) return own;
  return joinDevices(lists.flat(), own ?? []);
}

/** One source's; undefined where neither of its tools reports any. */
function gpusOf({ source, main, second }: SourceReading): readonly Gpu[] | undefined {
  if (source.kind === "broken") return undefined;
  const first = main.sections.gpus;
  const others = second?.sections.gpus;
  if (first === undefined) return others;
  return joinDevices(joinDevices(first, others ?? []), source.known, true);
}

/** A vendor tool's word on a process of its devices counts for more than all-smi's list of all processes. */
function joinedProcesses(
  vendors: readonly SourceReading[],
  native: SourceReading | undefined,
): readonly Process[] | undefined {
  const lists = vendors.flatMap(({ source, main, second }) => {
    const processes = main.sections.processes ?? second?.sections.processes;
    if (source.kind === "broken" || processes === undefined) return [];
    if (vendors.length === 1 && native === undefined) return [processes];
    return [processes.map((process) => ({ ...process, tool: source.main.shim.id }))];
  });
  const own = native?.main.sections.processes;
  if (lists.length === 0) return own;
  const listed = lists.flat();
  if (own === undefined) return listed;
  const pids = new Set(listed.map(({ pid }) => pid));
  return [...own.filter(({ pid }) => !pids.has(pid)), ...listed];
}
