/**
 * The fields that a driver knows, by its version: what its `--help-query-gpu` lists, without a start of nvidia-smi.
 *
 * Only branches whose help we have are here. What it says was compared for 580.159.04, 590.48.01, 591.86,
 * 595.71.05, 595.80, 610.57.04 and 610.62: the first is in golden/, the rest are captures of
 * github.com/utkuozdemir/nvidia_gpu_exporter (internal/captures, e656cd81a1). All of them list every field of
 * ours but for the old name of another one, so a release that lists more of them cannot be missed.
 */
import { MORE_FIELDS, TEN_FIELDS } from "./fields.js";

interface DriverFields {
  /** First numbers of the versions. */
  readonly branches: readonly string[];
  readonly hasKmdVersion: boolean;
}

export const KNOWN_DRIVERS: readonly DriverFields[] = [
  { branches: ["580", "590", "591"], hasKmdVersion: false },
  // Both names of the version are listed; the old one is deprecated.
  { branches: ["595", "610"], hasKmdVersion: true },
];

/** The fields to ask a driver for, in the order of the query; null where only its help can show them. */
export function fieldsOfDriver(version: string): readonly string[] | null {
  const driver = KNOWN_DRIVERS.find(({ branches }) =>
    branches.some((branch) => version.startsWith(`${branch}.`)),
  );
  if (driver === undefined) return null;
  const isOld = (field: string): boolean =>
    field === "clocks_throttle_reasons.active" ||
    field === (driver.hasKmdVersion ? "driver_version" : "kmd_version");
  return [...TEN_FIELDS, ...MORE_FIELDS].filter((field) => !isOld(field));
}
