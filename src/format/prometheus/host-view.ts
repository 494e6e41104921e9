/** One host as an exposition shows it: its labels, and the devices of its last frame with theirs. */
import type { FrameRecord, StreamRecord } from "../../contract/record.js";
import type { HostCounts, HostHistory } from "./host-history.js";
import { hostLabels, label } from "./labels.js";

/** The sections that have families. Processes have none: a series for each pid would never end. */
export type ShownSection =
  GpuSection | HostSection | "cpu" | "socket" | "memory" | "chassis" | "fan" | "storage";
type GpuSection = "gpu" | "mig" | "remap" | "nvlink" | "pcie";
type HostSection = "host" | "pressure" | "numa" | "disk" | "network";

/** `labels` is `{host="...",gpu="0"` without the brace that ends it, so that more may follow. */
export interface DeviceView {
  readonly labels: string;
  readonly device: Device;
}
/** Fields by name. A replayed or native device may hold anything in them. */
export type Device = Readonly<Record<string, unknown>>;

export interface HostView {
  /** As a device's. */
  readonly labels: string;
  readonly counts: HostCounts;
  /** Its latest record. */
  readonly record: StreamRecord;
  /** Null: the host's latest record is no frame, or is too old. */
  readonly frame: FrameRecord | null;
  readonly devices: Readonly<Record<ShownSection, readonly DeviceView[]>>;
}

/** `isStale`: the latest record is too old for its readings to be shown. */
export function viewOf(history: HostHistory, isStale: boolean): HostView {
  const record = history.latest;
  const labels = `{${hostLabels(record.host_id, record.labels)}`;
  const frame = record.record === "frame" && !isStale ? record : null;
  return { labels, counts: history.counts(), record, frame, devices: devicesOf(labels, frame, history) };
}

function devicesOf(labels: string, frame: FrameRecord | null, history: HostHistory): HostView["devices"] {
  const {
    gpus = [],
    cpus = [],
    memory = [],
    chassis = [],
    storage = [],
    host = [],
    network = [],
  } = frame ?? {};
  const seen = new Set<string>();
  const view =
    (labelsOf: (device: Device, place: number) => string) =>
    (item: unknown, place: number): DeviceView => {
      const device = isDevice(item) ? item : {};
      return { device, labels: distinct(`${labels}${labelsOf(device, place)}`, seen) };
    };
  // The first one has no number: nearly every host has one of its kind.
  const later =
    (name: "cpu" | "memory" | "chassis") =>
    (_: Device, place: number): string =>
      place === 0 ? "" : label(name, place);

  const gpuViews = gpus.map(
    view((gpu, place) => {
      const { uuid } = gpu;
      const known = typeof uuid === "string" && uuid !== "" ? uuid : history.knownUuid(gpus, place);
      return `${label("gpu", gpu["index"] ?? place)}${label("uuid", known)}`;
    }),
  );
  seen.clear();
  const cpuViews = cpus.map(view(later("cpu")));
  seen.clear();
  const memoryViews = memory.map(view(later("memory")));
  seen.clear();
  const chassisViews = chassis.map(view(later("chassis")));
  seen.clear();
  const storageViews = storage.map(view(({ mount_point: mount }) => label("mountpoint", mount)));
  seen.clear();
  // One a host, which needs no label.
  const hostViews = host.map(view(() => ""));
  seen.clear();
  const networkViews = network.map(view(({ name }) => label("interface", name)));
  return {
    gpu: gpuViews,
    mig: inside(gpuViews, "mig_instances", (mig) =>
      [
        label("gpu_instance", mig["gpu_instance_id"]),
        label("compute_instance", mig["compute_instance_id"]),
        label("mig_uuid", mig["uuid"]),
      ].join(""),
    ),
    remap: partOf(gpuViews, "remapped_rows_histogram"),
    nvlink: partOf(gpuViews, "nvlink"),
    pcie: partOf(gpuViews, "pcie"),
    cpu: cpuViews,
    socket: inside(cpuViews, "per_socket_info", (socket, place) =>
      label("socket", socket["socket_id"] ?? place),
    ),
    memory: memoryViews,
    chassis: chassisViews,
    fan: inside(chassisViews, "fan_speeds", (fan, place) => label("fan", fan["name"] ?? fan["id"] ?? place)),
    storage: storageViews,
    host: hostViews,
    pressure: partOf(hostViews, "pressure"),
    numa: inside(hostViews, "numa_nodes", (node, place) => label("numa_node", node["node"] ?? place)),
    disk: inside(hostViews, "disks", (disk, place) => label("disk", disk["name"] ?? place)),
    network: networkViews,
  };
}

/** What a device holds in a list of its own. */
function inside(
  outer: readonly DeviceView[],
  field: string,
  labelsOf: (device: Device, place: number) => string,
): readonly DeviceView[] {
  const seen = new Set<string>();
  return outer.flatMap(({ device, labels }) => {
    const list: unknown = device[field];
    if (!Array.isArray(list)) return [];
    return list.filter(isDevice).map((each, place) => ({
      device: each,
      labels: distinct(`${labels}${labelsOf(each, place)}`, seen),
    }));
  });
}

/** An object in a device, which has the device's labels. */
function partOf(views: readonly DeviceView[], field: string): readonly DeviceView[] {
  return views.flatMap(({ labels, device }) => {
    const part = device[field];
    return isDevice(part) ? [{ labels, device: part }] : [];
  });
}

/** Two series must not have the same labels: a later device gets one more. */
function distinct(labels: string, seen: Set<string>): string {
  let own = labels;
  for (let count = 2; seen.has(own); count++) own = `${labels}${label("duplicate", count)}`;
  seen.add(own);
  return own;
}

function isDevice(value: unknown): value is Device {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
