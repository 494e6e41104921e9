/** The fields of `cpus`, `memory`, `chassis` and `storage`, in the order of their CSV columns. */
import type { FieldTable } from "./field-table.js";
import type { Chassis, CoreUtilization, Cpu, CpuSocket, Fan, Memory, Storage } from "./host-devices.js";

const SOCKET_FIELDS = {
  socket_id: { type: "integer", text: "Counts from 0." },
  utilization: { type: "number", nullable: true, unit: "%", text: "Share of time in use." },
  cores: { type: "integer", nullable: true, text: "Physical cores." },
  threads: { type: "integer", nullable: true, text: "Logical processors." },
  temperature: { type: "number", nullable: true, unit: "°C", text: "Package temperature." },
  frequency_mhz: { type: "number", nullable: true, unit: "MHz", text: "Clock now." },
} as const satisfies FieldTable<CpuSocket>;

const CORE_FIELDS = {
  core_id: { type: "integer", text: "Counts from 0." },
  core_type: { type: "string", text: "all-smi's name for the kind of core." },
  utilization: { type: "number", nullable: true, unit: "%", text: "Share of time in use." },
} as const satisfies FieldTable<CoreUtilization>;

export const CPU_FIELDS = {
  index: { type: "integer", text: "Counts from 0." },
  cpu_model: { type: "string", nullable: true, csv: true, text: "Model name." },
  architecture: { type: "string", nullable: true, csv: true, text: "As `x86_64`, `aarch64`." },
  platform_type: {
    ...{ type: ["string", "object"], nullable: true },
    text: '`Intel`, `Amd`, `AppleSilicon`, `Arm`, or `{"Other": name}`.',
  },
  socket_count: { type: "integer", nullable: true, csv: true, text: "Processor packages." },
  total_cores: {
    ...{ type: "integer", nullable: true, csv: true },
    text: "Logical processors, as all-smi counts them; see `physical_cores`.",
  },
  total_threads: { type: "integer", nullable: true, csv: true, text: "Logical processors." },
  physical_cores: { type: "integer", nullable: true, optional: true, csv: true, text: "Physical cores." },
  performance_cores: {
    ...{ type: "integer", nullable: true, optional: true },
    text: "Physical cores that are fast (Apple).",
  },
  efficiency_cores: {
    ...{ type: "integer", nullable: true, optional: true },
    text: "Physical cores that save power (Apple).",
  },
  offline_cpus: {
    ...{ type: "integer", optional: true },
    text: "Logical processors that are switched off; absent when none is.",
  },
  allowed_cpus: {
    ...{ type: "integer", optional: true },
    text: "Logical processors that the session may use (cpuset, affinity), where fewer than all.",
  },
  cpu_quota: {
    ...{ type: "number", optional: true },
    text: "Processors that a container may use on average (cgroup quota).",
  },
  base_frequency_mhz: { type: "number", nullable: true, unit: "MHz", csv: true, text: "Nominal clock." },
  max_frequency_mhz: { type: "number", nullable: true, unit: "MHz", csv: true, text: "Highest clock." },
  cache_size_mb: { type: "number", nullable: true, unit: "MiB", csv: true, text: "Last level cache." },
  utilization: {
    ...{ type: "number", nullable: true, unit: "%", csv: true },
    text: "Share of time in use since the previous tick; null in the first, so always with `--once`.",
  },
  temperature: { type: "number", nullable: true, unit: "°C", csv: true, text: "Package temperature." },
  power_consumption: { type: "number", nullable: true, unit: "W", csv: true, text: "Power drawn." },
  load_average: {
    ...{ type: "array", optional: true, csv: true, items: { type: "number", nullable: true } },
    text: "Over 1, 5 and 15 minutes.",
  },
  per_socket_info: {
    ...{ type: "array", items: { type: "object", fields: SOCKET_FIELDS } },
    text: "Each processor package.",
  },
  per_core_utilization: {
    ...{ type: "array", items: { type: "object", fields: CORE_FIELDS } },
    text: "Each logical processor.",
  },
  apple_silicon_info: { type: "object", nullable: true, text: "As all-smi has it; null from other sources." },
} as const satisfies FieldTable<Cpu>;

export const MEMORY_FIELDS = {
  index: { type: "integer", text: "Counts from 0." },
  total_bytes: { type: "integer", nullable: true, unit: "bytes", csv: true, text: "Memory of the host." },
  used_bytes: { type: "integer", nullable: true, unit: "bytes", csv: true, text: "Memory in use." },
  available_bytes: {
    ...{ type: "integer", nullable: true, unit: "bytes", csv: true },
    text: "Memory that programs can get without swapping.",
  },
  free_bytes: { type: "integer", nullable: true, unit: "bytes", csv: true, text: "Memory in no use at all." },
  buffers_bytes: {
    type: "integer",
    nullable: true,
    unit: "bytes",
    csv: true,
    text: "Buffers of the kernel.",
  },
  cached_bytes: { type: "integer", nullable: true, unit: "bytes", csv: true, text: "File cache." },
  swap_total_bytes: { type: "integer", nullable: true, unit: "bytes", csv: true, text: "Size of the swap." },
  swap_used_bytes: { type: "integer", nullable: true, unit: "bytes", csv: true, text: "Swap in use." },
  swap_free_bytes: { type: "integer", nullable: true, unit: "bytes", csv: true, text: "Swap not in use." },
  utilization: { type: "number", nullable: true, unit: "%", csv: true, text: "Share of memory in use." },
  limit_bytes: {
    ...{ type: "integer", nullable: true, optional: true, unit: "bytes", csv: true },
    text: "A container's memory limit, where one is visible (cgroup).",
  },
} as const satisfies FieldTable<Memory>;

const FAN_FIELDS = {
  id: { type: "integer", text: "Counts from 0." },
  name: { type: "string", text: "The sensor's name." },
  speed_rpm: { type: "number", nullable: true, unit: "rpm", text: "Speed now." },
  max_rpm: { type: "number", nullable: true, unit: "rpm", text: "Highest speed." },
} as const satisfies FieldTable<Fan>;

export const CHASSIS_FIELDS = {
  total_power_watts: { type: "number", nullable: true, unit: "W", csv: true, text: "Power of the machine." },
  inlet_temperature: { type: "number", nullable: true, unit: "°C", csv: true, text: "Air that comes in." },
  outlet_temperature: { type: "number", nullable: true, unit: "°C", csv: true, text: "Air that goes out." },
  thermal_pressure: { type: "string", nullable: true, csv: true, text: "As all-smi has it (Apple)." },
  fan_speeds: {
    ...{ type: "array", items: { type: "object", fields: FAN_FIELDS } },
    text: "Fans of the machine.",
  },
  psu_status: { type: "array", items: { type: "object" }, text: "Power supplies, as all-smi has them." },
  detail: {
    ...{ type: "object", entries: { type: "string" } },
    text: "More of the machine, by the source's own names.",
  },
} as const satisfies FieldTable<Chassis>;

export const STORAGE_FIELDS = {
  index: { type: "integer", text: "Counts from 0." },
  mount_point: { type: "string", csv: true, text: "Where the file system is mounted." },
  total_bytes: { type: "integer", nullable: true, unit: "bytes", csv: true, text: "Its size." },
  available_bytes: {
    ...{ type: "integer", nullable: true, unit: "bytes", csv: true },
    text: "What users other than root can still write.",
  },
  used_bytes: { type: "integer", nullable: true, optional: true, unit: "bytes", text: "What is in use." },
  device: { type: "string", optional: true, text: "The device or the remote path that is mounted." },
} as const satisfies FieldTable<Storage>;
