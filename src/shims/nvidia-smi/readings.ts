/** Which reading of the record comes from which --query-gpu field, for every reading that depends on one field alone. */
import type { Gpu } from "../../contract/record.js";
import {
  booleanCell,
  bytesCell,
  celsiusCell,
  fanCell,
  integerCell,
  linkCell,
  percentCell,
  textCell,
  wattsLimitCell,
} from "../kit/cells.js";
import { enabledCell, microseconds, performanceState, temperatureMargin, throttleReasons } from "./cells.js";
import { SELDOM_FIELDS } from "./fields.js";

type Read = (cell: unknown) => unknown;
export const mebibytes = (cell: unknown): number | null => bytesCell(cell, "MiB");

/** Record key, --query-gpu field, reader. The record has the key only where the field was asked for. */
export const OPTIONAL: readonly (readonly [key: keyof Gpu, field: string, read: Read])[] = [
  ["index", "index", integerCell],
  ["pci_bus_id", "pci.bus_id", textCell],
  ["serial", "serial", textCell],
  ["driver_version", "driver_version", textCell],
  ["memory_utilization", "utilization.memory", percentCell],
  ["encoder_utilization", "utilization.encoder", percentCell],
  ["decoder_utilization", "utilization.decoder", percentCell],
  ["memory_free", "memory.free", mebibytes],
  ["memory_reserved", "memory.reserved", mebibytes],
  ["enforced_power_limit", "enforced.power.limit", wattsLimitCell],
  ["power_limit_default", "power.default_limit", wattsLimitCell],
  ["power_limit_min", "power.min_limit", wattsLimitCell],
  ["power_limit_max", "power.max_limit", wattsLimitCell],
  ["temperature_memory", "temperature.memory", celsiusCell],
  ["temperature_margin", "temperature.gpu.tlimit", temperatureMargin],
  ["fan_speed_percent", "fan.speed", fanCell],
  ["performance_state", "pstate", performanceState],
  ["ecc_corrected_total", "ecc.errors.corrected.aggregate.total", integerCell],
  ["ecc_uncorrected_total", "ecc.errors.uncorrected.aggregate.total", integerCell],
  ["ecc_corrected_since_load", "ecc.errors.corrected.volatile.total", integerCell],
  ["ecc_uncorrected_since_load", "ecc.errors.uncorrected.volatile.total", integerCell],
  ["ecc_sram_threshold_exceeded", "ecc.errors.uncorrected.aggregate.sram.thresholdExceeded", booleanCell],
  ["retired_pages_single_bit", "retired_pages.single_bit_ecc.count", integerCell],
  ["retired_pages_double_bit", "retired_pages.double_bit.count", integerCell],
  ["retired_pages_pending", "retired_pages.pending", booleanCell],
  ["remapped_rows_correctable", "remapped_rows.correctable", integerCell],
  ["remapped_rows_uncorrectable", "remapped_rows.uncorrectable", integerCell],
  ["remapped_rows_pending", "remapped_rows.pending", booleanCell],
  ["remapped_rows_failure", "remapped_rows.failure", booleanCell],
  ["throttle_reasons", "clocks_event_reasons.active", throttleReasons],
  ["throttle_time_sw_power_cap", "clocks_event_reasons_counters.sw_power_cap", microseconds],
  ["throttle_time_sw_thermal", "clocks_event_reasons_counters.sw_thermal_slowdown", microseconds],
  ["throttle_time_hw_thermal", "clocks_event_reasons_counters.hw_thermal_slowdown", microseconds],
  ["throttle_time_hw_power_brake", "clocks_event_reasons_counters.hw_power_brake_slowdown", microseconds],
  ["mig_mode", "mig.mode.current", enabledCell],
  ["recovery_action", "gpu_recovery_action", textCell],
  ["persistence_mode", "persistence_mode", enabledCell],
  ["pcie_link_gen", "pcie.link.gen.current", linkCell],
  ["pcie_link_gen_max", "pcie.link.gen.max", linkCell],
  ["pcie_link_width", "pcie.link.width.current", linkCell],
  ["pcie_link_width_max", "pcie.link.width.max", linkCell],
  ["fabric_state", "fabric.state", textCell],
  ["fabric_status", "fabric.status", textCell],
];
/** Read as a clock, of which a vGPU guest has none. */
export const MAX_CLOCKS: readonly (readonly [key: keyof Gpu, field: string])[] = [
  ["frequency_max", "clocks.max.graphics"],
  ["clock_memory_max", "clocks.max.memory"],
  ["clock_sm_max", "clocks.max.sm"],
];
/** Steps of the histogram of spare rows, from all to none. */
export const HISTOGRAM = ["max", "high", "partial", "low", "none"] as const;
/** Keys of `detail` and their fields. */
export const DETAIL: readonly (readonly [key: string, field: string])[] = [
  ["driver_version", "driver_version"],
  ["serial", "serial"],
  ["vbios_version", "vbios_version"],
  ["compute_mode", "compute_mode"],
  ["compute_capability", "compute_cap"],
  ["ecc_mode", "ecc.mode.current"],
  ["addressing_mode", "addressing_mode"],
  // In the XML only.
  ["cuda_version", "cuda_version"],
];
/** The record's keys, and those of `detail`, that seldom.ts keeps. */
export const SELDOM_KEYS: readonly (keyof Gpu)[] = [
  ...[...OPTIONAL, ...MAX_CLOCKS].flatMap(([key, field]) => (SELDOM_FIELDS.has(field) ? [key] : [])),
  "remapped_rows_histogram",
];
export const SELDOM_DETAIL: readonly string[] = [
  ...DETAIL.flatMap(([key, field]) => (SELDOM_FIELDS.has(field) ? [key] : [])),
  "cuda_version",
];
