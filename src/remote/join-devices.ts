/** One device that two tools report: the first tool's word counts, and the second fills what it left open. */
import { withExtras, type Gpu } from "../contract/record.js";

/** What a device is and does not change while its host runs. */
const IDENTITY: ReadonlySet<string> = new Set([
  ...["uuid", "name", "serial", "pci_bus_id", "driver_version", "gpu_core_count", "device_file", "detail"],
]);

/** What each tool has its own word for. */
const OWN: ReadonlySet<string> = new Set(["index", "device_type", "tool", "error"]);

/**
 * The devices of `first` with what is null or absent in them filled from `second`, matched by uuid, by PCI address, or
 * as the one device that each has. Those of `second` that are surely others are added. `identityOnly`: `second` is not of
 * this tick, and gives no readings and no devices.
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

/** A failed device has no more than its address: it is another where the second tool counts more devices. */
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
    if (value === null || OWN.has(key) || (identityOnly && !IDENTITY.has(key))) continue;
    if (key === "detail") more[key] = { ...from.detail, ...gpu.detail };
    else if (own[key] === null || own[key] === undefined) more[key] = value;
  }
  return Object.assign({ ...gpu }, more);
}
