/** Reads the texts of a device's `detail` into the record's own fields. */
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

/** The record's field, the keys of `detail` that all-smi's readers use for it (nvidia.rs, amd.rs, hlsmi), and its reader. */
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

/** The fields that `detail` has as text. A field that the device already has is not among them. */
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
