/** One GPU's cells (from a CSV row or from XML, by --query-gpu field name) -> the record's device. */
import type { Gpu } from "../../contract/record.js";
import { accelerator } from "../kit/accelerator.js";
import {
  booleanCell,
  bytesCell,
  celsiusCell,
  fanCell,
  integerCell,
  isMissing,
  linkCell,
  megahertzCell,
  percentCell,
  textCell,
  totalCell,
  wattsCell,
  wattsLimitCell,
} from "../kit/cells.js";
import { enabledCell, performanceState, throttleReasons } from "./cells.js";
import { canonicalField, OLD_FIELD_NAMES } from "./fields.js";

export type Cells = ReadonlyMap<string, string>;

/** What says that the GPU itself failed, in whichever cell it stands; `[Insufficient Permissions]` is no fault of it. */
const DEAD = /^\[?(?:GPU is lost|GPU requires reset|GPU reset required|ERR!)\]?$/i;
/** NVML_ERROR_UNKNOWN. A driver also says it of a feature that it only lacks: it is a fault where a GPU's own cells say it. */
const UNKNOWN = /^\[?Unknown Error\]?$/i;
const OWN_FIELDS = [
  "uuid",
  "name",
  "utilization.gpu",
  "memory.used",
  "memory.total",
  "temperature.gpu",
  "power.draw",
  "clocks.current.graphics",
  "fan.speed",
] as const;

type Read = (cell: unknown) => unknown;
const mebibytes = (cell: unknown): number | null => bytesCell(cell, "MiB");

/** Record key, --query-gpu field, reader: only where the field was asked for is the key there. */
const OPTIONAL: readonly (readonly [key: keyof Gpu, field: string, read: Read])[] = [
  ["index", "index", integerCell],
  ["pci_bus_id", "pci.bus_id", textCell],
  ["serial", "serial", textCell],
  ["driver_version", "driver_version", textCell],
  ["memory_utilization", "utilization.memory", percentCell],
  ["memory_free", "memory.free", mebibytes],
  ["memory_reserved", "memory.reserved", mebibytes],
  ["enforced_power_limit", "enforced.power.limit", wattsLimitCell],
  ["temperature_memory", "temperature.memory", celsiusCell],
  ["fan_speed_percent", "fan.speed", fanCell],
  ["performance_state", "pstate", performanceState],
  ["ecc_corrected_total", "ecc.errors.corrected.aggregate.total", integerCell],
  ["ecc_uncorrected_total", "ecc.errors.uncorrected.aggregate.total", integerCell],
  ["ecc_corrected_since_load", "ecc.errors.corrected.volatile.total", integerCell],
  ["ecc_uncorrected_since_load", "ecc.errors.uncorrected.volatile.total", integerCell],
  ["retired_pages_pending", "retired_pages.pending", booleanCell],
  ["remapped_rows_pending", "remapped_rows.pending", booleanCell],
  ["remapped_rows_failure", "remapped_rows.failure", booleanCell],
  ["throttle_reasons", "clocks_event_reasons.active", throttleReasons],
  ["mig_mode", "mig.mode.current", enabledCell],
  ["recovery_action", "gpu_recovery_action", textCell],
  ["persistence_mode", "persistence_mode", enabledCell],
  ["pcie_link_gen", "pcie.link.gen.current", linkCell],
  ["pcie_link_width", "pcie.link.width.current", linkCell],
];
const DETAIL: readonly (readonly [key: string, field: string])[] = [
  ["driver_version", "driver_version"],
  ["serial", "serial"],
  ["vbios_version", "vbios_version"],
  ["compute_mode", "compute_mode"],
  ["compute_capability", "compute_cap"],
  ["ecc_mode", "ecc.mode.current"],
  ["addressing_mode", "addressing_mode"],
];
const POWER = ["power.draw", "power.draw.average", "power.draw.instant"] as const;
const POWER_LIMIT = ["power.limit", "enforced.power.limit"] as const;

/**
 * Keys are there for the fields that were asked: a field that this driver does not know leaves no key, one that it
 * could not read is null. Temperatures C, memory bytes, power W, clocks MHz.
 */
export function gpuFromCells(raw: Cells): Gpu {
  const cells = canonical(raw);
  const power = firstWatts(cells, POWER);
  const clock = isUnreadGuest(cells, power) ? () => null : megahertzCell;
  const failure = failureOf(cells);
  const more: Record<string, unknown> = {};
  for (const [key, field, read] of OPTIONAL) if (cells.has(field)) more[key] = read(cells.get(field));
  if (cells.has("clocks.current.memory")) more["clock_memory"] = clock(cells.get("clocks.current.memory"));
  if (cells.has("clocks.current.sm")) more["clock_sm"] = clock(cells.get("clocks.current.sm"));
  if (POWER_LIMIT.some((field) => cells.has(field)))
    more["power_limit"] = firstWatts(cells, POWER_LIMIT, wattsLimitCell);
  if (failure !== null) more["error"] = failure;
  if (failure === null || !isMissing(cells.get("memory.total") ?? ""))
    more["memory_source"] = hasNoMemoryOfItsOwn(cells) ? "host" : "device";
  return accelerator("GPU", {
    uuid: textCell(cells.get("uuid")),
    name: textCell(cells.get("name")),
    utilization: percentCell(cells.get("utilization.gpu")),
    temperature: isUnreadGuest(cells, power) ? null : celsiusCell(cells.get("temperature.gpu")),
    used_memory: mebibytes(cells.get("memory.used")),
    total_memory: totalCell(cells.get("memory.total"), "MiB"),
    frequency: clock(cells.get("clocks.current.graphics")),
    power_consumption: power,
    ...more,
    detail: detailOf(cells),
  });
}

function detailOf(cells: Cells): Record<string, string> {
  const detail: Record<string, string> = {};
  for (const [key, field] of DETAIL) {
    const text = textCell(cells.get(field));
    if (text !== null) detail[key] = text;
  }
  return detail;
}

/** A device that gives no readings but says why. */
export function failedGpu(error: string, known: Partial<Gpu> = {}): Gpu {
  return accelerator("GPU", { ...known, error });
}

/** Whether no cell of a row holds a value: what stands in the place of a GPU that could not be asked. */
export function isBlankRow(cells: Cells): boolean {
  for (const cell of cells.values()) if (!isMissing(cell)) return false;
  return true;
}

/** Whether a device that is not failed gives none of its live readings: nvidia-smi on a Jetson. */
export function hasNoReadings(gpu: Gpu): boolean {
  const live = [gpu.utilization, gpu.used_memory, gpu.total_memory, gpu.temperature, gpu.power_consumption];
  return gpu.error === undefined && live.every((value) => value === null);
}

/** By the newest name of each field; the same cells where all have it. */
function canonical(cells: Cells): Cells {
  if (!isRenamed(cells)) return cells;
  const byField = new Map<string, string>();
  for (const [name, cell] of cells) {
    const field = canonicalField(name);
    const before = byField.get(field);
    if (before === undefined || isMissing(before)) byField.set(field, cell);
  }
  return byField;
}

function isRenamed(cells: Cells): boolean {
  return OLD_FIELD_NAMES.some((name) => cells.has(name));
}

function failureOf(cells: Cells): string | null {
  let unknown = 0;
  for (const cell of cells.values()) {
    // Every tick asks this of thousands of numbers.
    if (/^\[?[GE]/i.test(cell) && DEAD.test(cell)) return cell.replace(/[[\]]/g, "");
    if (/^\[?U/i.test(cell) && UNKNOWN.test(cell)) unknown += 1;
  }
  if (unknown === 0) return null;
  const isOwn = OWN_FIELDS.some((field) => UNKNOWN.test(cells.get(field) ?? ""));
  return isOwn || unknown * 2 >= cells.size ? "Unknown Error" : null;
}

/**
 * A vGPU guest prints 0 C and 0 MHz for what the hypervisor does not hand on, and no power (Virtual GPU Software User
 * Guide, "Monitoring GPU Performance": temperature, clocks and power are not supported in a guest).
 */
function isUnreadGuest(cells: Cells, power: number | null): boolean {
  return (
    power === null &&
    celsiusCell(cells.get("temperature.gpu")) === 0 &&
    (megahertzCell(cells.get("clocks.current.graphics")) ?? 0) === 0
  );
}

/** GB10, Grace and Tegra answer `[N/A]` for memory: it is the host's. A refusal or an error is not that. */
function hasNoMemoryOfItsOwn(cells: Cells): boolean {
  const cell = cells.get("memory.total");
  return cell !== undefined && /^\[?(?:N\/A|Not Supported)\]?$/i.test(cell);
}

function firstWatts(
  cells: Cells,
  fields: readonly string[],
  read: (cell: unknown) => number | null = wattsCell,
): number | null {
  for (const field of fields) {
    const watts = read(cells.get(field));
    if (watts !== null) return watts;
  }
  return null;
}
