/** What all-smi has as text in a device's `detail` -> the record's fields. */
import { isObject, type JsonObject } from "../kit/json-text.js";

type Read = (value: unknown) => unknown;

const number: Read = (value) => {
  const match = /^x?(\d{1,9}(?:\.\d{1,6})?)(?: ?(?:W|%))?$/i.exec(
    typeof value === "string" ? value.trim() : "",
  );
  return match === null ? null : Number(match[1]);
};
const above0: Read = (value) => number(value) || null;
const text: Read = (value) => (typeof value === "string" && value !== "" ? value : null);
/** all-smi prints a mode as `1`, `Enabled` and the like. */
export const enabled: Read = (value) => {
  if (value === 1) return true;
  if (typeof value !== "string") return null;
  if (/^(?:1|enabled?|on|true)$/i.test(value)) return true;
  return /^(?:0|disabled?|off|false)$/i.test(value) ? false : null;
};
const address: Read = (value) =>
  typeof value === "string" && /^(?:[0-9a-f]{4,8}:)?[0-9a-f]{2}:[0-9a-f]{2}\.[0-9a-f]$/i.test(value)
    ? value
    : null;

/** The record's field, the keys of `detail` under which all-smi's readers have it (nvidia.rs, amd.rs, hlsmi), reader. */
const TYPED: readonly (readonly [field: string, keys: readonly string[], read: Read])[] = [
  ["power_limit", ["power_limit_current", "power_limit_max"], above0],
  ["mig_mode", ["mig_mode_current"], enabled],
  ["driver_version", ["driver_version", "Driver Version"], text],
  ["pci_bus_id", ["pci_bus_id", "PCI Bus", "PCI Bus ID", "Bus ID", "PCI Address"], address],
  ["serial", ["serial", "Serial Number"], text],
  ["pcie_link_gen", ["PCIe Generation", "pcie_gen_current"], above0],
  ["pcie_link_width", ["PCIe Width", "pcie_width_current"], above0],
  ["fan_speed_percent", ["fan_speed_percent"], number],
  ["ecc_corrected_total", ["ecc_errors_corrected", "ecc_corrected_total"], number],
  ["ecc_uncorrected_total", ["ecc_errors_uncorrected", "ecc_uncorrected_total"], number],
];

/** What `detail` has as text and the record has a field for; a field that the snapshot has of its own stays. */
export function typedDetail(device: JsonObject): JsonObject {
  const detail = device["detail"];
  if (!isObject(detail)) return {};
  const typed: Record<string, unknown> = {};
  for (const [field, keys, reader] of TYPED) {
    if (device[field] !== undefined && device[field] !== null) continue;
    for (const key of keys) {
      const value = Object.hasOwn(detail, key) ? reader(detail[key]) : null;
      if (value !== null) typed[field] ??= value;
    }
  }
  return typed;
}
