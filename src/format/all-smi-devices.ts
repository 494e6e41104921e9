/**
 * Devices of a record as all-smi's structs have them (0.28.1, src/device/types.rs, src/storage/info.rs). Null: all-smi demands
 * a reading that is missing, and has no stand-in for it, so the device is left out.
 */
import type { DeviceLabels, NativeSection } from "../contract/record.js";
import {
  countOr0,
  decimal,
  Forced,
  isObject,
  isReading,
  objectsIn,
  optionalCount,
  optionalDecimal,
  optionalText,
  text,
} from "./all-smi-values.js";
import { gpuDetail, gpuOptions } from "./all-smi-gpu-extras.js";

type Device = Readonly<Record<string, unknown>>;

/** Writers by section; `at` is the device's place among its host's. */
export const WRITE_DEVICE: Readonly<
  Record<NativeSection, (device: Device, labels: DeviceLabels, at: number) => object | null>
> = { gpu, cpu, memory, chassis, process, storage };

function gpu(device: Device, labels: DeviceLabels, at: number): object {
  const forced = new Forced();
  // Without a reading of what is used, the size would make it 0 of so many bytes.
  const hasMemory = isReading(device["used_memory"]);
  return {
    ...labels,
    index: optionalCount(device["index"]) ?? at,
    uuid: forced.name("uuid", device["uuid"], `${labels.host_id} gpu ${at}`),
    name: text(device["name"]),
    device_type: optionalText(device["device_type"]) ?? "GPU",
    utilization: decimal(device["utilization"]),
    ane_utilization: decimal(device["ane_utilization"]),
    dla_utilization: optionalDecimal(device["dla_utilization"]),
    tensorcore_utilization: optionalDecimal(device["tensorcore_utilization"]),
    temperature: countOr0(device["temperature"]),
    used_memory: hasMemory ? countOr0(device["used_memory"], Number.MAX_SAFE_INTEGER) : 0,
    total_memory: hasMemory ? countOr0(device["total_memory"], Number.MAX_SAFE_INTEGER) : 0,
    frequency: countOr0(device["frequency"]),
    power_consumption: decimal(device["power_consumption"]),
    gpu_core_count: optionalCount(device["gpu_core_count"]),
    ...gpuOptions(device),
    detail: gpuDetail(device, at),
    ...forced.note,
  };
}

const CORE_TYPES = ["Super", "Performance", "Efficiency", "Standard"];
const PLATFORMS = ["Intel", "Amd", "AppleSilicon", "Arm"];

function cpu(device: Device, labels: DeviceLabels, at: number): object | null {
  if (!isReading(device["utilization"])) return null;
  return {
    ...labels,
    index: at,
    cpu_model: text(device["cpu_model"]),
    architecture: text(device["architecture"]),
    platform_type: platform(device["platform_type"]),
    socket_count: countOr0(device["socket_count"]),
    total_cores: countOr0(device["total_cores"]),
    total_threads: countOr0(device["total_threads"]),
    base_frequency_mhz: countOr0(device["base_frequency_mhz"]),
    max_frequency_mhz: countOr0(device["max_frequency_mhz"]),
    cache_size_mb: countOr0(device["cache_size_mb"]),
    utilization: device["utilization"],
    temperature: optionalCount(device["temperature"]),
    power_consumption: optionalDecimal(device["power_consumption"]),
    per_socket_info: objectsIn(device["per_socket_info"]).filter(isUsed).map(socket),
    apple_silicon_info: appleSilicon(device["apple_silicon_info"]),
    per_core_utilization: objectsIn(device["per_core_utilization"]).filter(isUsed).map(core),
  };
}

function isUsed(part: Device): boolean {
  return isReading(part["utilization"]);
}

function socket(part: Device, at: number): object {
  return {
    socket_id: optionalCount(part["socket_id"]) ?? at,
    utilization: part["utilization"],
    cores: countOr0(part["cores"]),
    threads: countOr0(part["threads"]),
    temperature: optionalCount(part["temperature"]),
    frequency_mhz: countOr0(part["frequency_mhz"]),
  };
}

function core(part: Device, at: number): object {
  const type = text(part["core_type"]);
  return {
    core_id: optionalCount(part["core_id"]) ?? at,
    core_type: CORE_TYPES.includes(type) ? type : "Standard",
    utilization: part["utilization"],
  };
}

function platform(value: unknown): string | { readonly Other: string } {
  const name = isObject(value) ? text(value["Other"]) : text(value);
  return typeof value === "string" && PLATFORMS.includes(name) ? name : { Other: name || "unknown" };
}

/** As all-smi itself had it, or none. */
function appleSilicon(value: unknown): object | null {
  if (!isObject(value)) return null;
  const cores = ["s_core_count", "p_core_count", "e_core_count", "gpu_core_count"];
  const shares = ["s_core_utilization", "p_core_utilization", "e_core_utilization"];
  const isWhole =
    cores.every((field) => optionalCount(value[field]) !== null) &&
    shares.every((field) => isReading(value[field]));
  if (!isWhole) return null;
  const rest = Object.entries(value).map(([field, given]) => [
    field,
    field === "ane_ops_per_second" || shares.includes(field) ? optionalDecimal(given) : optionalCount(given),
  ]);
  return Object.fromEntries(rest) as object;
}

function memory(device: Device, labels: DeviceLabels, at: number): object | null {
  const needed = ["total_bytes", "used_bytes", "utilization"];
  if (!needed.every((field) => isReading(device[field]))) return null;
  const forced = new Forced();
  const bytes = [
    ...["total_bytes", "used_bytes", "available_bytes", "free_bytes", "buffers_bytes", "cached_bytes"],
    ...["swap_total_bytes", "swap_used_bytes", "swap_free_bytes"],
  ].map((field) => [field, forced.bytes(field, device[field])] as const);
  return {
    ...labels,
    index: at,
    ...Object.fromEntries(bytes),
    utilization: device["utilization"],
    ...forced.note,
  };
}

const PSU_STATUSES = ["Unknown", "Ok", "Degraded", "Failed", "NotPresent"];

function chassis(device: Device, labels: DeviceLabels): object {
  return {
    ...labels,
    total_power_watts: optionalDecimal(device["total_power_watts"]),
    inlet_temperature: optionalDecimal(device["inlet_temperature"]),
    outlet_temperature: optionalDecimal(device["outlet_temperature"]),
    thermal_pressure: optionalText(device["thermal_pressure"]),
    fan_speeds: objectsIn(device["fan_speeds"])
      .filter((fan) => isReading(fan["speed_rpm"]))
      .map((fan, at) => {
        const forced = new Forced();
        return {
          id: optionalCount(fan["id"]) ?? at,
          name: text(fan["name"]),
          speed_rpm: countOr0(fan["speed_rpm"]),
          max_rpm: forced.count("max_rpm", fan["max_rpm"]),
          ...forced.note,
        };
      }),
    psu_status: objectsIn(device["psu_status"]).map((psu, at) => ({
      id: optionalCount(psu["id"]) ?? at,
      name: text(psu["name"]),
      status: PSU_STATUSES.includes(text(psu["status"])) ? psu["status"] : "Unknown",
      power_watts: optionalDecimal(psu["power_watts"]),
    })),
    detail: textsIn(device["detail"]),
  };
}

function textsIn(value: unknown): object {
  if (!isObject(value)) return {};
  return Object.fromEntries(Object.entries(value).filter(([, item]) => typeof item === "string"));
}

function process(device: Device, labels: DeviceLabels): object {
  const forced = new Forced();
  return {
    // all-smi has no host in a process, and does not read this.
    host_id: labels.host_id,
    device_id: forced.count("device_id", device["device_id"]),
    device_uuid: text(device["device_uuid"]),
    pid: forced.count("pid", device["pid"]),
    process_name: text(device["process_name"]),
    used_memory: forced.bytes("used_memory", device["used_memory"]),
    cpu_percent: decimal(device["cpu_percent"]),
    memory_percent: decimal(device["memory_percent"]),
    memory_rss: forced.bytes("memory_rss", device["memory_rss"]),
    memory_vms: forced.bytes("memory_vms", device["memory_vms"]),
    user: text(device["user"]),
    state: text(device["state"]),
    start_time: text(device["start_time"]),
    cpu_time: forced.bytes("cpu_time", device["cpu_time"]),
    command: text(device["command"]),
    ppid: forced.count("ppid", device["ppid"]),
    threads: forced.count("threads", device["threads"]),
    uses_gpu: device["uses_gpu"] === true,
    priority: forced.signed("priority", device["priority"]),
    nice_value: forced.signed("nice_value", device["nice_value"]),
    gpu_utilization: decimal(device["gpu_utilization"]),
    ...forced.note,
  };
}

function storage(device: Device, labels: DeviceLabels, at: number): object | null {
  if (!isReading(device["total_bytes"]) || !isReading(device["available_bytes"])) return null;
  const forced = new Forced();
  return {
    host_id: labels.host_id,
    hostname: labels.hostname,
    index: at,
    mount_point: text(device["mount_point"]),
    total_bytes: forced.bytes("total_bytes", device["total_bytes"]),
    available_bytes: forced.bytes("available_bytes", device["available_bytes"]),
    ...forced.note,
  };
}
