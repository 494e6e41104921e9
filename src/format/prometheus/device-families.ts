/**
 * Families of devices, made from the field tables of the contract: one for each number and each boolean, in base units.
 * NAMING has what the rules do not give. Source: Prometheus, "Metric and label naming".
 */
import type { Field, FieldMap, Unit } from "../../contract/field-table.js";
import { SECTION_FIELDS } from "../../contract/fields.js";
import { KEY_OF_SECTION } from "../../contract/record.js";
import { sample, type Family } from "./family.js";
import type { ShownSection } from "./host-view.js";

interface BaseUnit {
  readonly name: string;
  readonly convert: (value: number) => number;
}
const same = (value: number): number => value;

const BASE_UNITS: Readonly<Record<Unit, BaseUnit>> = {
  bytes: { name: "bytes", convert: same },
  MiB: { name: "bytes", convert: (value) => value * 2 ** 20 },
  "%": { name: "ratio", convert: (value) => value / 100 },
  "°C": { name: "celsius", convert: same },
  "bytes/s": { name: "bytes_per_second", convert: same },
  W: { name: "watts", convert: same },
  J: { name: "joules", convert: same },
  MHz: { name: "hertz", convert: (value) => value * 1e6 },
  rpm: { name: "rpm", convert: same },
  s: { name: "seconds", convert: same },
  ms: { name: "seconds", convert: (value) => value / 1000 },
  µs: { name: "seconds", convert: (value) => value / 1e6 },
};

/** What is not as the rules have it. `name`: without prefix, unit and `_total`. */
interface Naming {
  readonly name?: string;
  readonly help?: string;
  readonly unit?: BaseUnit;
  /** A number that only grows until its source starts anew. A field whose name ends in `_total` is one as well. */
  readonly isCounter?: true;
  readonly isLeftOut?: true;
}
const counter = (name: string): Naming => ({ name, isCounter: true });
const LEFT_OUT: Naming = { isLeftOut: true };

const NAMING: Readonly<Record<ShownSection, Readonly<Record<string, Naming>>>> = {
  gpu: {
    // A label of its own, and one of allsmi_gpu_info.
    index: LEFT_OUT,
    numa_node_id: LEFT_OUT,
    // all-smi gives it without a unit.
    ane_utilization: LEFT_OUT,
    used_memory: { name: "memory_used" },
    total_memory: { name: "memory_total" },
    memory_utilization: { name: "memory_busy" },
    temperature_memory: { name: "memory_temperature" },
    clock_memory: { name: "memory_frequency" },
    clock_sm: { name: "sm_frequency" },
    clock_memory_max: { name: "memory_frequency_max" },
    clock_sm_max: { name: "sm_frequency_max" },
    throttle_time_sw_power_cap: counter("throttle_time_sw_power_cap"),
    throttle_time_sw_thermal: counter("throttle_time_sw_thermal"),
    throttle_time_hw_thermal: counter("throttle_time_hw_thermal"),
    throttle_time_hw_power_brake: counter("throttle_time_hw_power_brake"),
    retired_pages_single_bit: counter("retired_pages_single_bit"),
    retired_pages_double_bit: counter("retired_pages_double_bit"),
    remapped_rows_correctable: counter("remapped_rows_correctable"),
    remapped_rows_uncorrectable: counter("remapped_rows_uncorrectable"),
    energy_consumed: counter("energy_consumed"),
    gpu_core_count: { name: "cores" },
    fan_speed_percent: {
      name: "fan_speed",
      help: "Fan speed; above 1 where a fan runs faster than its nominal speed.",
    },
    ecc_corrected_total: counter("ecc_corrected_errors"),
    ecc_uncorrected_total: counter("ecc_uncorrected_errors"),
    ecc_corrected_since_load: counter("ecc_corrected_errors_since_load"),
    ecc_uncorrected_since_load: counter("ecc_uncorrected_errors_since_load"),
  },
  mig: {
    gpu_instance_id: LEFT_OUT,
    compute_instance_id: LEFT_OUT,
    used_memory: { name: "memory_used" },
    total_memory: { name: "memory_total" },
    multiprocessor_count: { name: "multiprocessors" },
    ecc_sram_uncorrected_since_load: counter("ecc_sram_uncorrected_errors_since_load"),
  },
  remap: {},
  nvlink: {
    replay_errors: counter("replay_errors"),
    recovery_errors: counter("recovery_errors"),
    crc_errors: counter("crc_errors"),
  },
  pcie: {
    replay_errors: counter("replay_errors"),
    rx_bytes_per_second: { name: "receive" },
    tx_bytes_per_second: { name: "transmit" },
  },
  cpu: {
    index: LEFT_OUT,
    // all-smi counts logical processors in it, as in total_threads.
    total_cores: LEFT_OUT,
    total_threads: { name: "threads" },
    offline_cpus: { name: "threads_offline" },
    allowed_cpus: { name: "threads_allowed" },
    cpu_quota: { name: "quota" },
    socket_count: { name: "sockets" },
  },
  socket: { socket_id: LEFT_OUT },
  memory: { index: LEFT_OUT },
  chassis: { total_power_watts: { name: "power" } },
  fan: { id: LEFT_OUT },
  storage: { index: LEFT_OUT, total_bytes: { name: "size" } },
  host: { index: LEFT_OUT, uptime_seconds: { name: "uptime" } },
  pressure: {},
  numa: { node: LEFT_OUT, total_bytes: { name: "memory_total" }, free_bytes: { name: "memory_free" } },
  disk: {},
  network: {
    index: LEFT_OUT,
    mtu: { name: "mtu", unit: BASE_UNITS.bytes },
    speed_mbps: {
      ...{ name: "speed", help: "Speed of the link in bytes a second." },
      unit: { name: "bytes_per_second", convert: (value) => (value * 1e6) / 8 },
    },
    rx_bytes: counter("receive"),
    tx_bytes: counter("transmit"),
    rx_errors: counter("receive_errors"),
    tx_errors: counter("transmit_errors"),
    rx_dropped: counter("receive_dropped"),
    tx_dropped: counter("transmit_dropped"),
    carrier_changes: counter("carrier_changes"),
    link_downed: counter("link_downed"),
    link_error_recovery: counter("link_error_recovery"),
    symbol_errors: counter("symbol_errors"),
  },
};

interface Group {
  readonly section: ShownSection;
  readonly prefix: string;
  readonly path: string;
  readonly fields: FieldMap;
}
const inside = (section: FieldMap, list: string): FieldMap => section[list]?.items?.fields ?? {};
const { gpu, cpu, memory, chassis, storage, host, network } = SECTION_FIELDS;
const keyOf = KEY_OF_SECTION;

const GROUPS: readonly Group[] = [
  { section: "gpu", prefix: "allsmi_gpu", path: `${keyOf.gpu}[]`, fields: gpu },
  {
    ...{ section: "mig", prefix: "allsmi_gpu_mig", path: `${keyOf.gpu}[].mig_instances[]` },
    fields: inside(gpu, "mig_instances"),
  },
  {
    ...{ section: "remap", prefix: "allsmi_gpu_remap_banks", path: `${keyOf.gpu}[].remapped_rows_histogram` },
    fields: gpu["remapped_rows_histogram"]?.fields ?? {},
  },
  {
    ...{ section: "nvlink", prefix: "allsmi_gpu_nvlink", path: `${keyOf.gpu}[].nvlink` },
    fields: gpu["nvlink"]?.fields ?? {},
  },
  {
    ...{ section: "pcie", prefix: "allsmi_gpu_pcie", path: `${keyOf.gpu}[].pcie` },
    fields: gpu["pcie"]?.fields ?? {},
  },
  { section: "cpu", prefix: "allsmi_cpu", path: `${keyOf.cpu}[]`, fields: cpu },
  {
    ...{ section: "socket", prefix: "allsmi_cpu_socket", path: `${keyOf.cpu}[].per_socket_info[]` },
    fields: inside(cpu, "per_socket_info"),
  },
  { section: "memory", prefix: "allsmi_memory", path: `${keyOf.memory}[]`, fields: memory },
  { section: "chassis", prefix: "allsmi_chassis", path: `${keyOf.chassis}[]`, fields: chassis },
  {
    ...{ section: "fan", prefix: "allsmi_chassis_fan", path: `${keyOf.chassis}[].fan_speeds[]` },
    fields: inside(chassis, "fan_speeds"),
  },
  { section: "storage", prefix: "allsmi_storage", path: `${keyOf.storage}[]`, fields: storage },
  { section: "host", prefix: "allsmi_host", path: `${keyOf.host}[]`, fields: host },
  {
    ...{ section: "pressure", prefix: "allsmi_host_pressure", path: `${keyOf.host}[].pressure` },
    fields: host["pressure"]?.fields ?? {},
  },
  {
    ...{ section: "numa", prefix: "allsmi_host_numa", path: `${keyOf.host}[].numa_nodes[]` },
    fields: inside(host, "numa_nodes"),
  },
  {
    ...{ section: "disk", prefix: "allsmi_host_disk", path: `${keyOf.host}[].disks[]` },
    fields: inside(host, "disks"),
  },
  { section: "network", prefix: "allsmi_network", path: `${keyOf.network}[]`, fields: network },
];

/** What the names of families of devices begin with, as `allsmi_gpu_mig`. */
export const DEVICE_PREFIXES: readonly string[] = GROUPS.map(({ prefix }) => prefix);

export const DEVICE_FAMILIES: readonly Family[] = GROUPS.flatMap((group) =>
  Object.entries(group.fields).flatMap(([key, field]) => familyOf(group, key, field) ?? []),
);

function familyOf({ section, prefix, path }: Group, key: string, field: Field): Family | null {
  const naming = NAMING[section][key] ?? {};
  if (naming.isLeftOut === true || !isMeasured(field)) return null;
  const unit = naming.unit ?? (field.unit === undefined ? null : BASE_UNITS[field.unit]);
  const isCounter = naming.isCounter === true || key.endsWith("_total");
  const bare = naming.name ?? key.replace(/_(bytes|mhz|mb|watts|rpm|percent|total)$/, "");
  const name = `${prefix}_${bare}${unit === null ? "" : `_${unit.name}`}${isCounter ? "_total" : ""}`;
  const convert = unit?.convert ?? same;
  return {
    name,
    type: isCounter ? "counter" : "gauge",
    unit: unit?.name ?? null,
    help: naming.help ?? field.text,
    source: `${path}.${key}`,
    samples: (host) => {
      let text = "";
      for (const { labels, device } of host.devices[section]) {
        const value = device[key];
        if (typeof value === "number") text += sample(name, labels, convert(value));
        else if (typeof value === "boolean") text += sample(name, labels, value ? 1 : 0);
      }
      return text;
    },
  };
}

/** Texts, lists and objects are no measurements; some have families of their own in special-families.ts. */
function isMeasured({ type, values }: Field): boolean {
  return (type === "number" || type === "integer" || type === "boolean") && values === undefined;
}
