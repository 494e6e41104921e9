/** One GPU's cells (from a CSV row or from XML, by --query-gpu field name) -> the record's device. */
import type { Gpu } from "../record.js";
import { accelerator } from "./accelerator.js";
import {
  booleanCell,
  bytesCell,
  celsiusCell,
  integerCell,
  isMissing,
  megahertzCell,
  numberCell,
  percentCell,
  presentTexts,
  textCell,
  wattsCell,
} from "./cells.js";
import { enabledCell, linkNumber, performanceState, throttleReasons } from "./nvidia-smi-cells.js";
import { canonicalField } from "./nvidia-smi-fields.js";

export type Cells = ReadonlyMap<string, string>;

/** Sentinels that say that the GPU itself failed, not that it lacks a feature. */
const FAILED = /^\[?(?:GPU is lost|GPU requires reset|GPU reset required|Unknown Error|ERR!)\]?$/i;
const DEAD = /^\[?(?:GPU is lost|GPU requires reset|GPU reset required)\]?$/i;
const LIVE_FIELDS = ["utilization.gpu", "memory.used", "temperature.gpu", "power.draw"] as const;

/**
 * Keys are there for the fields that were asked: a field that this driver does not know leaves no key, one that it
 * could not read is null. Temperatures C, memory bytes, power W, clocks MHz.
 */
export function gpuFromCells(raw: Cells): Gpu {
  const cells = canonical(raw);
  const cell = (field: string): string | undefined => cells.get(field);
  const asked = <T>(key: string, field: string, read: (cell: unknown) => T): Record<string, T> =>
    cells.has(field) ? { [key]: read(cell(field)) } : {};

  const power = firstOf(
    [cell("power.draw"), cell("power.draw.average"), cell("power.draw.instant")],
    wattsCell,
  );
  const unread = isUnreadGuest(cells, power);
  const failure = failureOf(cells);
  const unified = failure === null && hasNoMemoryOfItsOwn(cells);
  const name = textCell(cell("name"));
  return accelerator("GPU", {
    uuid: textCell(cell("uuid")),
    name,
    utilization: percentCell(cell("utilization.gpu")),
    temperature: unread ? null : celsiusCell(cell("temperature.gpu")),
    used_memory: bytesCell(cell("memory.used"), "MiB"),
    total_memory: totalMemory(cell("memory.total")),
    frequency: unread ? null : megahertzCell(cell("clocks.current.graphics")),
    power_consumption: power,
    ...asked("index", "index", integerCell),
    ...asked("pci_bus_id", "pci.bus_id", textCell),
    ...asked("serial", "serial", textCell),
    ...asked("driver_version", "driver_version", textCell),
    ...asked("memory_utilization", "utilization.memory", percentCell),
    ...asked("memory_free", "memory.free", (c) => bytesCell(c, "MiB")),
    ...(failure === null ? { memory_source: unified ? "host" : "device" } : {}),
    ...(cells.has("power.limit") || cells.has("enforced.power.limit")
      ? { power_limit: firstOf([cell("power.limit"), cell("enforced.power.limit")], wattsCell) }
      : {}),
    ...asked("enforced_power_limit", "enforced.power.limit", wattsCell),
    ...asked("clock_memory", "clocks.current.memory", (c) => (unread ? null : megahertzCell(c))),
    ...asked("clock_sm", "clocks.current.sm", (c) => (unread ? null : megahertzCell(c))),
    ...asked("temperature_memory", "temperature.memory", celsiusCell),
    // The driver documents that a fan may be told above 100 %.
    ...asked("fan_speed_percent", "fan.speed", numberCell),
    ...asked("performance_state", "pstate", performanceState),
    ...asked("ecc_corrected_total", "ecc.errors.corrected.aggregate.total", integerCell),
    ...asked("ecc_uncorrected_total", "ecc.errors.uncorrected.aggregate.total", integerCell),
    ...asked("ecc_corrected_since_load", "ecc.errors.corrected.volatile.total", integerCell),
    ...asked("ecc_uncorrected_since_load", "ecc.errors.uncorrected.volatile.total", integerCell),
    ...asked("retired_pages_pending", "retired_pages.pending", booleanCell),
    ...asked("remapped_rows_pending", "remapped_rows.pending", booleanCell),
    ...asked("remapped_rows_failure", "remapped_rows.failure", booleanCell),
    ...asked("throttle_reasons", "clocks_event_reasons.active", throttleReasons),
    ...asked("mig_mode", "mig.mode.current", enabledCell),
    ...asked("recovery_action", "gpu_recovery_action", textCell),
    ...asked("persistence_mode", "persistence_mode", enabledCell),
    ...asked("pcie_link_gen", "pcie.link.gen.current", linkNumber),
    ...asked("pcie_link_width", "pcie.link.width.current", linkNumber),
    detail: presentTexts({
      driver_version: textCell(cell("driver_version")),
      serial: textCell(cell("serial")),
      vbios_version: textCell(cell("vbios_version")),
      compute_mode: textCell(cell("compute_mode")),
      compute_capability: textCell(cell("compute_cap")),
      ecc_mode: textCell(cell("ecc.mode.current")),
      addressing_mode: textCell(cell("addressing_mode")),
      memory_reserved: textOfBytes(bytesCell(cell("memory.reserved"), "MiB")),
    }),
    ...(failure === null ? {} : { error: failure }),
  });
}

/** A device that gives no readings but says why. */
export function failedGpu(error: string, known: Partial<Gpu> = {}): Gpu {
  return accelerator("GPU", { ...known, error });
}

/** Whether no cell of a row holds a value: what stands in the place of a GPU that could not be asked. */
export function isBlankRow(cells: Cells): boolean {
  return [...cells.values()].every(isMissing);
}

/** Whether a device that is not failed gives none of its live readings: nvidia-smi on a Jetson. */
export function tellsNothing(gpu: Gpu): boolean {
  const live = [gpu.utilization, gpu.used_memory, gpu.total_memory, gpu.temperature, gpu.power_consumption];
  return gpu.error === undefined && live.every((value) => value === null);
}

function canonical(cells: Cells): Cells {
  const byField = new Map<string, string>();
  for (const [name, cell] of cells) {
    const field = canonicalField(name);
    const before = byField.get(field);
    if (before === undefined || isMissing(before)) byField.set(field, cell);
  }
  return byField;
}

function failureOf(cells: Cells): string | null {
  const values = [...cells.values()];
  const dead = values.find((cell) => DEAD.test(cell));
  if (dead !== undefined) return dead.replace(/[[\]]/g, "");
  const live = LIVE_FIELDS.map((field) => cells.get(field)).filter((cell) => cell !== undefined);
  const failed = live.find((cell) => FAILED.test(cell));
  if (failed === undefined || !live.every(isMissing)) return null;
  return failed.replace(/[[\]]/g, "");
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

function totalMemory(cell: string | undefined): number | null {
  const total = bytesCell(cell, "MiB");
  return total === 0 ? null : total;
}

function firstOf<T>(cells: readonly (string | undefined)[], read: (cell: unknown) => T | null): T | null {
  for (const cell of cells) {
    const value = read(cell);
    if (value !== null) return value;
  }
  return null;
}

function textOfBytes(bytes: number | null): string | null {
  return bytes === null ? null : `${bytes}`;
}
