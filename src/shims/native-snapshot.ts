/**
 * One all-smi snapshot (schema 1, all-smi 0.22 to 0.27, src/device/types.rs) -> sections. Sentinels become null, a
 * null or odd value costs that value alone, fields and sections that we do not know are passed on.
 */
import { cleanText } from "../lib/text.js";
import { KEY_OF_SECTION, type Section, type SectionError, SECTIONS } from "../record.js";
import { isObject, type JsonObject } from "./json-text.js";
import type { Reading } from "./shim.js";

/** Which sections a snapshot holds. */
export function sectionsOf(snapshot: object): readonly Section[] {
  return SECTIONS.filter((section) => Object.hasOwn(snapshot, KEY_OF_SECTION[section]));
}

/** `clean`: whether texts must be looked at for control characters and numbers for infinity (1e999). */
export function readSnapshot(snapshot: JsonObject, clean: boolean): Reading {
  const whole = clean ? (cleanDeep(snapshot) as JsonObject) : snapshot;
  const errors: SectionError[] = [];
  const sections: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(whole)) {
    const section = SECTIONS.find((candidate) => KEY_OF_SECTION[candidate] === key);
    if (section === undefined) {
      if (Array.isArray(value) && key !== "errors" && !ENVELOPE.has(key)) sections[key] = value;
    } else if (Array.isArray(value)) {
      sections[key] = devicesOf(section, value, errors);
    } else if (value !== null) {
      errors.push({ section, kind: "parse", message: `all-smi: ${key} is not a list` });
    }
  }
  if (Array.isArray(whole["errors"])) errors.push(...whole["errors"].flatMap(errorOf));
  return { sections, errors };
}

// Keys that a frame has of its own.
const ENVELOPE = new Set([
  "schema",
  "record",
  "timestamp",
  "tick",
  "host_id",
  "target",
  "hostname",
  "labels",
  "state",
]);
// A device's own labels give way to the frame's.
const LABELS = new Set(["host_id", "hostname", "instance", "time"]);

function devicesOf(section: Section, list: readonly unknown[], errors: SectionError[]): JsonObject[] {
  const devices: JsonObject[] = [];
  for (const [at, item] of list.entries()) {
    const device = isObject(item) ? READ_DEVICE[section](withoutLabels(item), at) : null;
    if (device !== null) devices.push(device);
    else
      errors.push({
        section,
        kind: "parse",
        message: `all-smi: entry ${at} of ${section} is not a device`,
      });
  }
  return devices;
}

type Read = (value: unknown) => unknown;
type Fields = Readonly<Record<string, Read>>;

const READ_DEVICE: Readonly<Record<Section, (device: JsonObject, at: number) => JsonObject | null>> = {
  gpu: gpuOf,
  cpu: cpuOf,
  memory: (device, at) => ({ index: at, ...read(device, MEMORY) }),
  chassis: (device) => read(device, CHASSIS),
  process: processOf,
  storage: (device, at) => ({ index: at, ...read(device, STORAGE) }),
};

/** The fields of `spec`, each read and null where it is odd or not there; and all others as they are. */
function read(device: JsonObject, spec: Fields): JsonObject {
  const known = Object.entries(spec).map(([field, reader]) => [field, reader(device[field])] as const);
  return { ...device, ...Object.fromEntries(known) };
}

const text: Read = (value) => (typeof value === "string" && value !== "" ? value : null);
/** -1 is all-smi's word for a reading that it does not have (types.rs, GPU_METRIC_UNAVAILABLE). */
const amount: Read = (value) =>
  typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : null;
/** 0 is its word for a temperature, a clock or a size that it does not have. */
const positive: Read = (value) => (value === 0 ? null : amount(value));
const percent: Read = (value) => (typeof value === "number" && value <= 100 ? amount(value) : null);
const signed: Read = (value) => (typeof value === "number" && Number.isFinite(value) ? value : null);
const list: Read = (value) => objectsIn(value);
const texts: Read = (value) =>
  isObject(value) ? withoutEntries(value, (_, item) => typeof item !== "string") : {};

const GPU: Fields = {
  uuid: text,
  name: text,
  device_type: (value) => text(value) ?? "GPU",
  utilization: percent,
  ane_utilization: amount,
  dla_utilization: percent,
  tensorcore_utilization: percent,
  temperature: positive,
  used_memory: amount,
  total_memory: positive,
  frequency: positive,
  power_consumption: amount,
  gpu_core_count: positive,
  detail: texts,
};

function gpuOf(device: JsonObject, at: number): JsonObject {
  const gpu = { index: at, ...read(device, GPU) };
  const isApple = typeof device["name"] === "string" && device["name"].startsWith("Apple");
  return {
    ...gpu,
    // Readers other than Apple's write 0 for "not applicable" (types.rs, ane_utilization_reading).
    ane_utilization: isApple ? amount(device["ane_utilization"]) : null,
    // A device without a memory size has no reading of its use either: both are written 0.
    used_memory:
      positive(device["total_memory"]) === null
        ? positive(device["used_memory"])
        : amount(device["used_memory"]),
    // The NVML reader writes 0 W where NVML refuses (nvidia.rs, `.unwrap_or(0.0)`); no NVIDIA GPU draws nothing.
    power_consumption: isNvidia(device)
      ? positive(device["power_consumption"])
      : amount(device["power_consumption"]),
    utilization: isInMigMode(device)
      ? positive(percent(device["utilization"]))
      : percent(device["utilization"]),
  };
}

function isNvidia(device: JsonObject): boolean {
  return typeof device["uuid"] === "string" && device["uuid"].startsWith("GPU-");
}

/** NVML gives no utilization of a GPU in MIG mode, and the reader writes 0 then. */
function isInMigMode(device: JsonObject): boolean {
  const detail = device["detail"];
  return isObject(detail) && /^(?:1|enabled?)$/i.test(String(detail["mig_mode_current"]));
}

const CPU: Fields = {
  cpu_model: text,
  architecture: text,
  socket_count: positive,
  total_cores: positive,
  total_threads: positive,
  base_frequency_mhz: positive,
  max_frequency_mhz: positive,
  cache_size_mb: positive,
  utilization: percent,
  temperature: positive,
  power_consumption: amount,
  per_socket_info: list,
  per_core_utilization: list,
  apple_silicon_info: (value) => (isObject(value) ? value : null),
  platform_type: (value) => (isObject(value) ? value : text(value)),
};
const SOCKET: Fields = {
  utilization: percent,
  cores: positive,
  threads: positive,
  temperature: positive,
  frequency_mhz: positive,
};

function cpuOf(device: JsonObject, at: number): JsonObject {
  const cpu: JsonObject = { index: at, ...read(device, CPU) };
  const cores = objectsIn(cpu["per_core_utilization"]);
  // A one-shot run has no earlier reading to compare with, and its library then says 0 for every core.
  const unread = cores.every((core) => core["utilization"] === 0) && cpu["utilization"] !== 0;
  return {
    ...cpu,
    per_socket_info: objectsIn(cpu["per_socket_info"]).map((socket) => read(socket, SOCKET)),
    per_core_utilization: cores.map((core) => ({
      ...core,
      utilization: unread ? null : percent(core["utilization"]),
    })),
  };
}

const MEMORY: Fields = {
  total_bytes: positive,
  used_bytes: amount,
  available_bytes: amount,
  free_bytes: amount,
  buffers_bytes: amount,
  cached_bytes: amount,
  swap_total_bytes: amount,
  swap_used_bytes: amount,
  swap_free_bytes: amount,
  utilization: percent,
};
const CHASSIS: Fields = {
  total_power_watts: amount,
  inlet_temperature: positive,
  outlet_temperature: positive,
  thermal_pressure: text,
  fan_speeds: list,
  psu_status: list,
  detail: texts,
};
const STORAGE: Fields = {
  mount_point: (value) => (typeof value === "string" ? value : ""),
  total_bytes: positive,
  available_bytes: amount,
};
const PROCESS: Fields = {
  device_id: amount,
  device_uuid: text,
  process_name: text,
  used_memory: amount,
  cpu_percent: amount,
  memory_percent: percent,
  memory_rss: amount,
  memory_vms: amount,
  user: text,
  state: text,
  start_time: text,
  cpu_time: amount,
  command: text,
  ppid: amount,
  threads: amount,
  uses_gpu: (value) => value === true,
  priority: signed,
  nice_value: signed,
  gpu_utilization: percent,
};

function processOf(device: JsonObject): JsonObject | null {
  if (typeof device["pid"] !== "number" || !Number.isInteger(device["pid"]) || device["pid"] < 0) return null;
  const process = read(device, PROCESS);
  return {
    ...process,
    // Written as constants: a one-shot run has no CPU share yet, and no reader has these two.
    cpu_percent: positive(process["cpu_percent"]),
    gpu_utilization: positive(process["gpu_utilization"]),
    threads: process["threads"] === 1 ? null : process["threads"],
  };
}

function objectsIn(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function withoutLabels(device: JsonObject): JsonObject {
  return withoutEntries(device, (key) => LABELS.has(key));
}

function withoutEntries(from: JsonObject, drop: (key: string, value: unknown) => boolean): JsonObject {
  return Object.fromEntries(Object.entries(from).filter(([key, value]) => !drop(key, value)));
}

/** all-smi's {section, kind: timeout | panic | error, message}. */
function errorOf(value: unknown): SectionError[] {
  if (!isObject(value)) return [];
  const section = SECTIONS.find((candidate) => candidate === value["section"]) ?? "gpu";
  const said = typeof value["message"] === "string" ? cleanText(value["message"]) : "no message";
  const kind = value["kind"];
  if (kind === "timeout") return [{ section, kind, message: `all-smi: ${said}` }];
  return [
    { section, kind: "error", message: kind === "panic" ? `all-smi panicked: ${said}` : `all-smi: ${said}` },
  ];
}

function cleanDeep(value: unknown): unknown {
  if (typeof value === "string") return cleanText(value);
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (Array.isArray(value)) return value.map(cleanDeep);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [cleanText(key), cleanDeep(item)]));
}
