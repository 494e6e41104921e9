/** Readers for the devices of an all-smi snapshot, one for each section: types of the fields, and sentinels to null. */
import type { NativeSection } from "../../contract/record.js";
import { withoutNoise } from "../kit/digits.js";
import { at, isObject, type JsonObject } from "../kit/json-text.js";
import { isAllOnes } from "../kit/stand-ins.js";
import { enabled, typedDetail } from "./detail.js";

const MAX_PERCENT = 100;

type Read = (value: unknown) => unknown;
type Fields = Readonly<Record<string, Read>>;

/** Reads a device of a section, given its index in the list; null where it is no device. */
export const READ_DEVICE: Readonly<
  Record<NativeSection, (device: JsonObject, at: number) => JsonObject | null>
> = {
  gpu: gpuOf,
  cpu: cpuOf,
  memory: memoryOf,
  chassis: (device) => read(device, CHASSIS),
  process: processOf,
  storage: (device, at) => ({ index: at, ...read(device, STORAGE) }),
};

/** The fields of `spec`, null where they are missing or invalid, and all other fields as they are. */
function read(device: JsonObject, spec: Fields): JsonObject {
  const known = Object.entries(spec).map(([field, reader]) => [field, reader(device[field])] as const);
  return { ...device, ...Object.fromEntries(known) };
}

const text: Read = (value) => (typeof value === "string" && value !== "" ? value : null);
/** all-smi writes -1 for a reading that it does not have (types.rs, GPU_METRIC_UNAVAILABLE). */
const amount: Read = (value) =>
  typeof value === "number" && Number.isFinite(value) && value >= 0 && !isAllOnes(value)
    ? withoutNoise(value)
    : null;
/** It writes 0 for a temperature, a clock or a size that it does not have. */
const positive: Read = (value) => (value === 0 ? null : amount(value));
const percent: Read = (value) => (typeof value === "number" && value <= 100 ? amount(value) : null);
/** Degrees C; 255, 4095.9 and 65535 are sensors without a reading. */
const celsius: Read = (value) => (typeof value === "number" && value <= 200 ? positive(value) : null);
const watts: Read = (value) => (typeof value === "number" && value <= 30_000 ? amount(value) : null);
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
  temperature: celsius,
  used_memory: amount,
  total_memory: positive,
  frequency: (value) => (typeof value === "number" && value <= 30_000 ? positive(value) : null),
  power_consumption: watts,
  gpu_core_count: positive,
  detail: texts,
};

function gpuOf(device: JsonObject, at: number): JsonObject {
  const gpu = { index: at, ...read(device, GPU) };
  const isApple = typeof device["name"] === "string" && device["name"].startsWith("Apple");
  return withoutZeros({
    ...gpu,
    ...typedDetail(device),
    // Readers other than Apple's write 0 for "not applicable" (types.rs, ane_utilization_reading).
    ane_utilization: isApple ? amount(device["ane_utilization"]) : null,
    // A device without a memory size has no reading of its used memory either: all-smi writes 0 for both.
    used_memory:
      positive(device["total_memory"]) === null
        ? positive(device["used_memory"])
        : amount(device["used_memory"]),
    // The NVML reader writes 0 W where NVML refuses (nvidia.rs, `.unwrap_or(0.0)`); no NVIDIA GPU draws nothing.
    power_consumption: isNvidia(device)
      ? positive(watts(device["power_consumption"]))
      : watts(device["power_consumption"]),
    utilization: isInMigMode(device)
      ? positive(percent(device["utilization"]))
      : percent(device["utilization"]),
  });
}

/** A device without temperature, memory and power was not read: its other zeros are no readings either. */
function withoutZeros(gpu: JsonObject): JsonObject {
  const isUnread =
    gpu["temperature"] === null &&
    gpu["total_memory"] === null &&
    gpu["used_memory"] === null &&
    positive(gpu["power_consumption"]) === null;
  if (!isUnread) return gpu;
  return {
    ...gpu,
    utilization: positive(gpu["utilization"]),
    power_consumption: null,
    ...("memory_utilization" in gpu ? { memory_utilization: positive(gpu["memory_utilization"]) } : {}),
  };
}

function isNvidia(device: JsonObject): boolean {
  return typeof device["uuid"] === "string" && device["uuid"].startsWith("GPU-");
}

/** NVML has no utilization for a GPU in MIG mode, and all-smi writes 0 then. */
function isInMigMode(device: JsonObject): boolean {
  return enabled(at(device["detail"], "mig_mode_current")) === true;
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
  temperature: celsius,
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
  temperature: celsius,
  frequency_mhz: positive,
};

function cpuOf(device: JsonObject, at: number): JsonObject {
  const cpu: JsonObject = { index: at, ...read(device, CPU) };
  const cores = objectsIn(cpu["per_core_utilization"]);
  // A one-shot run has no earlier reading to compare with, and its library then returns 0 for every core.
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

/**
 * all-smi knows a host that it scrapes by total and used memory only, and has 0 for the rest (network/metrics_parser.rs): no
 * host with memory to spare has neither free nor available pages.
 */
function memoryOf(device: JsonObject, at: number): JsonObject {
  const memory: JsonObject = { index: at, ...read(device, MEMORY) };
  const [total, used] = [amountOf(memory, "total_bytes"), amountOf(memory, "used_bytes")];
  const isUnread = memory["available_bytes"] === 0 && memory["free_bytes"] === 0 && used < total;
  const unread = isUnread ? ["available_bytes", "free_bytes", "buffers_bytes", "cached_bytes"] : [];
  const hasNoShare = memory["utilization"] === 0 && used > total / MAX_PERCENT;
  const nulls = [...unread, ...(hasNoShare ? ["utilization"] : [])].map((field) => [field, null]);
  return { ...memory, ...(Object.fromEntries(nulls) as JsonObject) };
}

function amountOf(memory: JsonObject, field: string): number {
  const value = memory[field];
  return typeof value === "number" ? value : 0;
}

const CHASSIS: Fields = {
  total_power_watts: amount,
  inlet_temperature: celsius,
  outlet_temperature: celsius,
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
    // all-smi writes constants here: a one-shot run has no CPU share yet, and no reader has the other two.
    cpu_percent: positive(process["cpu_percent"]),
    gpu_utilization: positive(process["gpu_utilization"]),
    threads: process["threads"] === 1 ? null : process["threads"],
  };
}

function objectsIn(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** The object without the entries for which `drop` is true. */
export function withoutEntries(from: JsonObject, drop: (key: string, value: unknown) => boolean): JsonObject {
  return Object.fromEntries(Object.entries(from).filter(([key, value]) => !drop(key, value)));
}
