/**
 * One GPU that i915 or xe drives. Source: Documentation/ABI/testing/sysfs-driver-intel-i915-hwmon, sysfs-driver-intel-xe-hwmon
 * and Documentation/gpu/xe/xe_gt_freq.rst of Linux 6.16. These drivers have no utilization and no memory in use there.
 */
import type { Gpu } from "../../contract/record.js";
import { megahertzCell, presentTexts, textCell, totalCell } from "../kit/cells.js";
import { sumOf } from "../kit/digits.js";
import type { Energy } from "./energy.js";
import { microwattsLimit, millidegrees } from "./kernel-cells.js";
import type { SysfsDevice } from "./listing.js";

/** The address of the graphics in Intel's processors. */
const INTEGRATED = "0000:00:02.0";

/** The GPU's readings in `now`; `energy`: by its counter. */
export function intelReadings(
  now: SysfsDevice,
  facts: SysfsDevice | undefined,
  energy: Energy,
): Partial<Gpu> {
  const { values } = now;
  const isXe = now.driver === "xe";
  // A device that sleeps has no readings, so none of the host's either.
  const isRead = values.size > 0;
  const isIntegrated =
    isRead && now.address === INTEGRATED && facts !== undefined && !facts.values.has("has_hwmon");
  return {
    frequency: megahertzCell(values.get("act_freq")),
    power_consumption: energy.watts,
    ...(energy.joules === null ? {} : { energy_consumed: energy.joules }),
    power_limit: microwattsLimit(values.get("power1_max")) ?? microwattsLimit(values.get("power2_max")),
    // xe: the second sensor is the package's, the third the memory's.
    temperature: millidegrees(values.get(isXe ? "temp2_input" : "temp1_input")),
    ...(isXe ? { temperature_memory: millidegrees(values.get("temp3_input")) } : {}),
    total_memory: memoryOf(facts?.tiles ?? []),
    ...(isIntegrated ? { memory_source: "host" as const } : {}),
  };
}

/** For `detail`. */
export function intelDetail({ values }: SysfsDevice): Record<string, string> {
  return presentTexts({ fan_rpm: textCell(values.get("fan1_input")) });
}

/** The sum of all tiles; null where one is not known. */
function memoryOf(tiles: readonly string[]): number | null {
  const bytes = tiles.map((text) => totalCell(text, "B"));
  const known = bytes.filter((value) => value !== null);
  return known.length === 0 || known.length < bytes.length ? null : sumOf(known);
}
