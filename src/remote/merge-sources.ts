/** Merges the readings of a host's tools: one vendor's devices after another's, each device once. */
import { withExtras, type Gpu, type Process, type Sections } from "../contract/record.js";
import type { Reading } from "../shims/kit/shim.js";
import { isNativeShim, type DeviceSource } from "./probe.js";

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

/** In the order of the sources. Of a device that a vendor's tool reports, all-smi only fills in what that tool left open. */
export function mergeSources(read: readonly SourceReading[]): Reading {
  const [only] = read;
  if (only === undefined) return { sections: {}, errors: [] };
  if (read.length === 1 && isSingleTool(only)) return only.main;
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

function isSingleTool({ source, second }: SourceReading): boolean {
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

/** The devices of one source; undefined where neither of its tools reports any. */
function gpusOf({ source, main, second }: SourceReading): readonly Gpu[] | undefined {
  if (source.kind === "broken") return undefined;
  const first = main.sections.gpus;
  const others = second?.sections.gpus;
  if (first === undefined) return others;
  return joinDevices(joinDevices(first, others ?? []), source.known, true);
}

/** A vendor tool's entry for a process on its devices replaces that of all-smi, which lists all processes. */
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

// ---- one device that two tools report: the first tool wins, the second fills in what it left open

/** Fields that identify a device and do not change while its host runs. */
const IDENTITY: ReadonlySet<string> = new Set([
  ...["uuid", "name", "serial", "pci_bus_id", "driver_version", "gpu_core_count", "device_file", "detail"],
]);

/** Fields in which each tool has a value of its own. */
const OWN_TO_TOOL: ReadonlySet<string> = new Set(["index", "device_type", "tool", "error"]);

/**
 * The devices of `first` with what is null or absent in them filled from `second`, matched by uuid, by PCI address, or
 * as the one device that each has. Those of `second` that are certainly other devices are added. `identityOnly`: `second`
 * is not of this tick, and gives no readings and no devices.
 */
export function joinDevices(
  first: readonly Gpu[],
  second: readonly Gpu[],
  identityOnly = false,
): readonly Gpu[] {
  if (second.length === 0) return first;
  const left = new Set(second);
  const joined = first.map((gpu) => {
    const same =
      first.length === 1 && second.length === 1 && !areOthers(gpu, second[0])
        ? second[0]
        : second.find((other) => left.has(other) && areSame(gpu, other));
    if (same === undefined) return gpu;
    left.delete(same);
    return gpu.error === undefined ? filled(gpu, same, identityOnly) : gpu;
  });
  if (identityOnly) return joined;
  return [...joined, ...[...left].filter((other) => isAdded(other, first, second.length))];
}

/** A failed device has only its address: it counts as another device where the second tool reports more devices. */
function isAdded(other: Gpu, first: readonly Gpu[], count: number): boolean {
  if (first.every((gpu) => areOthers(gpu, other))) return true;
  return other.error !== undefined && other.uuid === null && count > first.length;
}

function areSame(a: Gpu, b: Gpu): boolean {
  if (a.uuid !== null && a.uuid === b.uuid) return true;
  const [left, right] = [busOf(a), busOf(b)];
  return left !== null && left === right;
}

/** Both have an id of the same kind, and not the same one. */
function areOthers(a: Gpu, b: Gpu | undefined): boolean {
  if (b === undefined || areSame(a, b)) return false;
  if (a.uuid?.startsWith("GPU-") === true && b.uuid?.startsWith("GPU-") === true) return true;
  return busOf(a) !== null && busOf(b) !== null;
}

/** `00000000:C5:00.0`, `0000:c5:00.0` and `c5:00.0` are one address. */
function busOf({ pci_bus_id: id }: Gpu): string | null {
  const match = /^(?:([0-9a-f]{4,8}):)?([0-9a-f]{2}:[0-9a-f]{2}\.[0-9a-f])$/i.exec(id ?? "");
  if (match === null) return null;
  return `${(match[1] ?? "0").replace(/^0+(?=.)/, "")}:${match[2] ?? ""}`.toLowerCase();
}

function filled(gpu: Gpu, from: Gpu, identityOnly: boolean): Gpu {
  const more: Record<string, unknown> = {};
  const own = withExtras(gpu);
  for (const [key, value] of Object.entries(from)) {
    if (value === null || OWN_TO_TOOL.has(key) || (identityOnly && !IDENTITY.has(key))) continue;
    if (key === "detail") more[key] = { ...from.detail, ...gpu.detail };
    else if (own[key] === null || own[key] === undefined) more[key] = value;
  }
  return Object.assign({ ...gpu }, more);
}
