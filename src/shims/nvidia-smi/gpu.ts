/** The record's device from one GPU's cells, which come from a CSV row or from XML, by --query-gpu field name. */
import type { Gpu, PcieLink } from "../../contract/record.js";
import { accelerator, blankDevice } from "../kit/accelerator.js";
import {
  celsiusCell,
  integerCell,
  megahertzCell,
  percentCell,
  textCell,
  totalCell,
  wattsCell,
  wattsLimitCell,
} from "../kit/cells.js";
import { isMissing } from "../kit/no-value.js";
import { withoutZeros } from "../kit/stand-ins.js";
import { bankCount, bytesPerSecond } from "./cells.js";
import { canonicalField, OLD_FIELD_NAMES } from "./fields.js";
import { DETAIL, HISTOGRAM, MAX_CLOCKS, mebibytes, OPTIONAL } from "./readings.js";

export type Cells = ReadonlyMap<string, string>;

/** The GPU itself failed, whichever cell has this text. `[Insufficient Permissions]` is not a fault of the GPU. */
const DEAD = /^\[?(?:GPU is lost|GPU requires reset|GPU reset required|ERR!)\]?$/i;
/** NVML_ERROR_UNKNOWN. A driver also prints it for a feature that it only lacks; in the cells of OWN_FIELDS it is a fault. */
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

// To take a list apart V8's interpreter makes an object for each element, and for each turn of a `for` over a list too.
const OPTIONAL_READINGS = OPTIONAL.map(([key, field, read]) => ({ key, field, read }));
const DETAIL_TEXTS = DETAIL.map(([key, field]) => ({ key, field }));

const HISTOGRAM_FIELDS = HISTOGRAM.map((step) => `remapped_rows.histogram.${step}`);

const POWER = ["power.draw", "power.draw.average", "power.draw.instant"] as const;
const POWER_LIMIT = ["power.limit", "enforced.power.limit"] as const;

/**
 * Has a key for each field that was asked for: a field that this driver does not know leaves no key, one that it could
 * not read is null. Temperatures in C, memory in bytes, power in W, clocks in MHz.
 */
export function gpuFromCells(raw: Cells): Gpu {
  const cells = canonical(raw);
  const power = firstWatts(cells, POWER);
  const clock = isUnreadGuest(cells, power) ? () => null : megahertzCell;
  const failure = failureOf(cells);
  // One object that grows, in place of parts that are copied together: V8 keeps one with so many keys as a hash table.
  const gpu = Object.assign(blankDevice("GPU"), {
    uuid: textCell(cells.get("uuid")),
    name: textCell(cells.get("name")),
    utilization: percentCell(cells.get("utilization.gpu")),
    temperature: isUnreadGuest(cells, power) ? null : celsiusCell(cells.get("temperature.gpu")),
    used_memory: mebibytes(cells.get("memory.used")),
    total_memory: totalCell(cells.get("memory.total"), "MiB"),
    frequency: clock(cells.get("clocks.current.graphics")),
    power_consumption: power,
    detail: detailOf(cells),
  });
  const more = gpu as unknown as Record<string, unknown>;
  OPTIONAL_READINGS.forEach(({ key, field, read }) => {
    const cell = cells.get(field);
    if (cell !== undefined) more[key] = read(cell);
  });
  if (cells.has("clocks.current.memory")) more["clock_memory"] = clock(cells.get("clocks.current.memory"));
  if (cells.has("clocks.current.sm")) more["clock_sm"] = clock(cells.get("clocks.current.sm"));
  for (const [key, field] of MAX_CLOCKS) if (cells.has(field)) more[key] = maxClock(cells.get(field));
  if (HISTOGRAM_FIELDS.some((field) => cells.has(field)))
    more["remapped_rows_histogram"] = histogramOf(cells);
  // In the XML only.
  const link = linkIn(cells);
  if (link !== null) more["pcie"] = { ...link, ticks_ago: 0 };
  if (POWER_LIMIT.some((field) => cells.has(field)))
    more["power_limit"] = firstWatts(cells, POWER_LIMIT, wattsLimitCell);
  if (failure !== null) more["error"] = failure;
  if (failure === null || !isMissing(cells.get("memory.total") ?? ""))
    more["memory_source"] = usesHostMemory(cells) ? "host" : "device";
  return withoutZeros(gpu);
}

/** A maximum of 0 MHz is that of a vGPU guest, which gets no clocks. */
function maxClock(cell: unknown): number | null {
  const clock = megahertzCell(cell);
  return clock === 0 ? null : clock;
}

/** Null unless all five counts were read: a part of them says nothing. */
function histogramOf(cells: Cells): Gpu["remapped_rows_histogram"] {
  const counts = HISTOGRAM.map((step) => [step, bankCount(cells.get(`remapped_rows.histogram.${step}`))]);
  if (counts.some(([, count]) => count === null)) return null;
  return Object.fromEntries(counts) as NonNullable<Gpu["remapped_rows_histogram"]>;
}

/** Null where the GPU has none of the counters. */
function linkIn(cells: Cells): Omit<PcieLink, "ticks_ago"> | null {
  const link = {
    replay_errors: integerCell(cells.get("pci.replay_counter")),
    rx_bytes_per_second: bytesPerSecond(cells.get("pci.rx_util")),
    tx_bytes_per_second: bytesPerSecond(cells.get("pci.tx_util")),
  };
  return Object.values(link).every((value) => value === null) ? null : link;
}

function detailOf(cells: Cells): Record<string, string> {
  const detail: Record<string, string> = {};
  DETAIL_TEXTS.forEach(({ key, field }) => {
    const text = textCell(cells.get(field));
    if (text !== null) detail[key] = text;
  });
  return detail;
}

/** A device without readings, with the reason. */
export function failedGpu(error: string, known: Partial<Gpu> = {}): Gpu {
  return accelerator("GPU", { ...known, error });
}

/** Whether no cell of a row holds a value: some drivers print such a row for a GPU that could not be read. */
export function isBlankRow(cells: Cells): boolean {
  for (const cell of cells.values()) if (!isMissing(cell)) return false;
  return true;
}

/** Whether a device that has not failed has none of its live readings, as nvidia-smi prints it on a Jetson. */
export function hasNoReadings(gpu: Gpu): boolean {
  const live = [gpu.utilization, gpu.used_memory, gpu.total_memory, gpu.temperature, gpu.power_consumption];
  return gpu.error === undefined && live.every((value) => value === null);
}

/** The cells by the newest name of each field; the same map where all names are the newest. */
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

const BRACKET = 0x5b;
const CAPITAL_A = 0x41;

function failureOf(cells: Cells): string | null {
  const failures: string[] = [];
  // Each tick checks thousands of numbers here. The first readings of a fleet are too few for compiled code, and so are
  // looked at without a pattern and without an iterator's objects.
  cells.forEach((cell) => {
    const first = cell.charCodeAt(cell.charCodeAt(0) === BRACKET ? 1 : 0);
    if (first >= CAPITAL_A && (DEAD.test(cell) || UNKNOWN.test(cell))) failures.push(cell);
  });
  if (failures.length === 0) return null;
  const dead = failures.find((cell) => DEAD.test(cell));
  if (dead !== undefined) return dead.replace(/[[\]]/g, "");
  const unknown = failures.length;
  const isOwn = OWN_FIELDS.some((field) => UNKNOWN.test(cells.get(field) ?? ""));
  return isOwn || unknown * 2 >= cells.size ? "Unknown Error" : null;
}

/**
 * A vGPU guest prints 0 C, 0 MHz and no power, because the hypervisor does not pass these readings on (Virtual GPU
 * Software User Guide, "Monitoring GPU Performance": temperature, clocks and power are not supported in a guest).
 */
function isUnreadGuest(cells: Cells, power: number | null): boolean {
  return (
    power === null &&
    celsiusCell(cells.get("temperature.gpu")) === 0 &&
    (megahertzCell(cells.get("clocks.current.graphics")) ?? 0) === 0
  );
}

/** GB10, Grace and Tegra print `[N/A]` for memory: they use the host's. A refusal or an error does not mean that. */
function usesHostMemory(cells: Cells): boolean {
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
