/** What all-smi knows of a GPU beside its readings: fields that may be missing, and the texts of `detail` that it shows. */
import {
  isObject,
  MAX_I32,
  objectsIn,
  optionalCount,
  optionalDecimal,
  optionalText,
} from "./all-smi-values.js";

type Device = Readonly<Record<string, unknown>>;

const MAX_U8 = 255;
const COUNTS = [
  ...["temperature_threshold_slowdown", "temperature_threshold_shutdown"],
  ...["temperature_threshold_max_operating", "temperature_threshold_acoustic"],
  ...["performance_state", "fan_speed_rpm", "numa_node_id"],
];

/** GpuInfo's fields of type Option, where the record has them: from all-smi itself, and two that vendor tools print too. */
export function gpuOptions(device: Device): object {
  const counts = COUNTS.map((field) => [field, optionalCount(device[field], MAX_I32)] as const);
  const others = [
    ["gsp_firmware_mode", optionalCount(device["gsp_firmware_mode"], MAX_U8)],
    ["gsp_firmware_version", optionalText(device["gsp_firmware_version"])],
    ["gpm_metrics", performance(device["gpm_metrics"])],
    ["nvlink_remote_devices", links(device["nvlink_remote_devices"])],
  ] as const;
  return Object.fromEntries([...counts, ...others].filter(([, value]) => value !== null)) as object;
}

function performance(value: unknown): object | null {
  if (!isObject(value)) return null;
  return {
    sm_occupancy: optionalDecimal(value["sm_occupancy"]),
    memory_bandwidth_utilization: optionalDecimal(value["memory_bandwidth_utilization"]),
  };
}

const LINK_ENDS = ["gpu", "ibmnpu", "switch", "unknown"];

function links(value: unknown): readonly object[] | null {
  const known = objectsIn(value).filter((link) => optionalCount(link["link_index"]) !== null);
  if (known.length === 0) return null;
  return known.map((link) => ({
    link_index: link["link_index"],
    remote_type: LINK_ENDS.find((end) => end === link["remote_type"]) ?? "unknown",
    bandwidth_mb_s: optionalCount(link["bandwidth_mb_s"]),
  }));
}

/** Keys of `detail` that all-smi shows or `--replay` reads back, and the record's field. */
const TEXTS: readonly (readonly [key: string, field: string])[] = [
  ["Driver Version", "driver_version"],
  ["CUDA Version", "cuda_version"],
  ["ROCm Version", "rocm_version"],
  ["PCI Bus", "pci_bus_id"],
  ["serial", "serial"],
  ["power_limit_current", "power_limit"],
  ["power_limit_max", "power_limit_max"],
  ["pcie_gen_current", "pcie_link_gen"],
  ["pcie_width_current", "pcie_link_width"],
  ["fan_speed_percent", "fan_speed_percent"],
  ["ecc_errors_corrected", "ecc_corrected_total"],
  ["ecc_errors_uncorrected", "ecc_uncorrected_total"],
  ["mig_mode_current", "mig_mode"],
  ["error", "error"],
];

/** The texts that the record has, and those made of its fields; `index` is what all-smi's alerts name a GPU by. */
export function gpuDetail(device: Device, at: number): Readonly<Record<string, string>> {
  const detail = isObject(device["detail"]) ? device["detail"] : {};
  const made = TEXTS.flatMap(([key, field]) => {
    const value = device[field] ?? detail[field];
    if (typeof value === "boolean") return [[key, value ? "Enabled" : "Disabled"]];
    if (typeof value === "number" && Number.isFinite(value)) return [[key, String(value)]];
    return optionalText(value) === null ? [] : [[key, value]];
  });
  return Object.fromEntries([
    ["index", String(optionalCount(device["index"]) ?? at)],
    ...made,
    ...Object.entries(detail).filter(([, item]) => typeof item === "string"),
  ]) as Record<string, string>;
}
