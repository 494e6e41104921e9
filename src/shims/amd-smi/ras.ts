/**
 * Errors and throttling of one GPU in amd-smi's JSON. Source: amdsmi_commands.py (`metric`, `static`) and CHANGELOG.md of
 * ROCm/amdsmi. The error counts are the driver's own (err_count in the kernel's "AMDGPU RAS Support"): it counts from its
 * load on.
 */
import type { Gpu } from "../../contract/record.js";
import { booleanCell, integerCell, presentTexts, textCell } from "../kit/cells.js";
import { at, isObject, type JsonObject } from "../kit/json-text.js";
import { read } from "./values.js";

/** Counts since the load of the driver are left out where this release prints none. */
export function eccOf(metric: JsonObject): Partial<Gpu> {
  const count = (total: string, early: string): number | null =>
    read(metric, integerCell, ["ecc", total], ["ecc", early]);
  const corrected = count("total_correctable_count", "correctable");
  const uncorrected = count("total_uncorrectable_count", "uncorrectable");
  return {
    ecc_corrected_total: corrected,
    ecc_uncorrected_total: uncorrected,
    ...(isObject(at(metric, "ecc"))
      ? { ecc_corrected_since_load: corrected, ecc_uncorrected_since_load: uncorrected }
      : {}),
  };
}

/** For `detail`: errors that are neither corrected nor consumed yet, and the limit of bad pages, from `static`. */
export function rasTexts(metric: JsonObject, fixed: JsonObject | undefined): Gpu["detail"] {
  const count = (...path: readonly string[]): string | null => {
    const value = read(metric, integerCell, path);
    return value === null ? null : String(value);
  };
  const isExceeded = booleanCell(read(fixed, textCell, ["ras", "bad_page_threshold_exceeded"]));
  return presentTexts({
    ecc_deferred: count("ecc", "total_deferred_count"),
    pcie_replay_count: count("pcie", "replay_count"),
    bad_page_threshold: read(fixed, textCell, ["ras", "bad_page_threshold"]),
    // `static` runs once. A card stays beyond its limit; whether one still is within it, only a later run could say.
    bad_page_threshold_exceeded: isExceeded === true ? "True" : null,
  });
}

/**
 * Why the GPU is held back: the violations that are active on MI300 and later, as `ppt` or `socket_thermal`, or else the
 * one word of earlier GPUs. Null where the tool has neither.
 */
export function throttleReasons(metric: JsonObject): readonly string[] | null {
  return violationsIn(at(metric, "throttle")) ?? throttling(at(metric, "power", "throttle_status"));
}

const STATUS = /^(?!total_)(\w{1,80})_violation_status$/;

/** Null where no status is known: the ASIC has none, or the tick did not ask for it. */
export function violationsIn(section: unknown): readonly string[] | null {
  if (!isObject(section)) return null;
  const known = Object.entries(section).flatMap(([key, value]) => {
    const name = STATUS.exec(key)?.[1];
    const states = statesIn(value);
    return name === undefined || states.length === 0 ? [] : [{ name, isActive: states.includes(true) }];
  });
  if (known.length === 0) return null;
  return known.filter(({ isActive }) => isActive).map(({ name }) => name);
}

const MAX_DEPTH = 4;

/** One status of the GPU, or lists of them, one for each compute die of each partition. */
function statesIn(value: unknown, depth = 0): readonly boolean[] {
  if (typeof value === "string") {
    const text = value.trim().toUpperCase();
    return text === "ACTIVE" ? [true] : text === "NOT ACTIVE" || text === "INACTIVE" ? [false] : [];
  }
  if (typeof value !== "object" || value === null || depth === MAX_DEPTH) return [];
  return Object.values(value).flatMap((inner: unknown) => statesIn(inner, depth + 1));
}

function throttling(raw: unknown): readonly string[] | null {
  const status = textCell(raw);
  if (status === null) return null;
  return /^un-?throttled$/i.test(status) ? [] : [status];
}
