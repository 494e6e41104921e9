/** JSON of xpu-smi 1.x: devices of `discovery` and `stats`, and processes of `ps`. */
import type { Gpu, Process, SectionError } from "../../contract/record.js";
import { oneLine } from "../../lib/text.js";
import { accelerator, acceleratorProcess, freeOf, uuidsByIndex } from "../kit/accelerator.js";
import {
  bytesCell,
  celsiusCell,
  integerCell,
  megahertzCell,
  numberCell,
  percentCell,
  presentTexts,
  readingText,
  textCell,
  totalCell,
  wattsCell,
  type ByteUnit,
} from "../kit/cells.js";
import { distinctDevices } from "../kit/device-list.js";
import { meanOf, sumOf } from "../kit/digits.js";
import { at, findJson, isObject, type JsonObject } from "../kit/json-text.js";

/** By device id: what `discovery` printed, for all devices together and for each. */
export type XpuDevices = ReadonlyMap<number, JsonObject>;

/** `text`: JSON documents of any command; later ones add to a device. */
export function devicesIn(text: string): XpuDevices {
  const devices = new Map<number, JsonObject>();
  for (const document of findJson(text).documents) {
    const list = at(document, "device_list");
    for (const device of Array.isArray(list) ? (list as readonly unknown[]) : [document]) {
      const id = integerCell(at(device, "device_id"));
      if (id === null || id > 255 || !isObject(device) || isStats(device)) continue;
      devices.set(id, { ...devices.get(id), ...knownKeys(device) });
    }
  }
  return devices;
}

/** Only the keys that are read: without this limit, merging what a host prints could cost more and more. */
function knownKeys(device: JsonObject): JsonObject {
  return Object.fromEntries(
    DEVICE_KEYS.flatMap((key) => (Object.hasOwn(device, key) ? [[key, device[key]]] : [])),
  );
}
const DEVICE_KEYS = [
  ...["memory_physical_size_byte", "uuid", "device_name", "serial_number", "pci_bdf_address"],
  ...["driver_version", "vendor_name", "pci_device_id", "device_function_type", "number_of_tiles"],
] as const;

function isStats(document: unknown): boolean {
  return at(document, "device_level") !== undefined || at(document, "tile_level") !== undefined;
}

/** The known devices with their `stats`; a device that `stats` left out has null readings. */
export function gpusInJson(
  text: string,
  known: XpuDevices,
): { readonly gpus: readonly Gpu[]; readonly errors: readonly SectionError[] } {
  const stats = new Map<number, JsonObject>();
  const errors: SectionError[] = [];
  const { documents, cut } = findJson(text);
  for (const document of documents) {
    const error = at(document, "error");
    if (typeof error === "string")
      errors.push({ section: "gpu", kind: "error", message: `xpu-smi: ${oneLine(error)}` });
    const id = integerCell(at(document, "device_id"));
    if (id !== null && isObject(document) && isStats(document) && !stats.has(id)) stats.set(id, document);
  }
  if (cut) errors.push({ section: "gpu", kind: "parse", message: "xpu-smi: the JSON is cut short" });
  const ids = [...new Set([...known.keys(), ...stats.keys()])];
  // A release prints the memory of all devices in the same unit.
  const unit = ids.some((id) => countsBytes(known.get(id), stats.get(id))) ? "B" : "MiB";
  const gpus = ids.map((id) => gpuOf(id, known.get(id), stats.get(id), unit));
  return { gpus: distinctDevices(gpus), errors };
}

function gpuOf(
  index: number,
  device: JsonObject | undefined,
  stats: JsonObject | undefined,
  unit: ByteUnit,
): Gpu {
  const total = totalOf(device);
  const printed = bytesCell(metric(stats, "MEMORY_USED", sumOf), unit);
  const used = printed !== null && total !== null && printed > total ? null : printed;
  return accelerator("GPU", {
    index,
    uuid: textCell(device?.["uuid"]),
    name: textCell(device?.["device_name"]),
    serial: textCell(device?.["serial_number"]),
    pci_bus_id: textCell(device?.["pci_bdf_address"]),
    driver_version: textCell(device?.["driver_version"]),
    utilization: percentCell(metric(stats, "GPU_UTILIZATION", meanOf)),
    memory_utilization: percentCell(metric(stats, "MEMORY_BANDWIDTH", meanOf)),
    total_memory: total,
    used_memory: used,
    memory_free: freeOf(total, used),
    temperature: celsiusCell(metric(stats, "GPU_CORE_TEMPERATURE", highest)),
    temperature_memory: celsiusCell(metric(stats, "MEMORY_TEMPERATURE", highest)),
    power_consumption: wattsCell(metric(stats, "POWER", sumOf)),
    frequency: megahertzCell(metric(stats, "GPU_FREQUENCY", highest)),
    ...eccOf(stats),
    detail: presentTexts({
      vendor: textCell(device?.["vendor_name"]),
      device_id: textCell(device?.["pci_device_id"]),
      function_type: textCell(device?.["device_function_type"]),
      number_of_tiles: textCell(device?.["number_of_tiles"]),
      media_frequency: readingText(metric(stats, "MEDIA_ENGINE_FREQUENCY", highest), megahertzCell),
      ...engineTexts(stats),
      ...tileTexts(stats),
      ras_reset: count(stats, "RESET"),
      ras_programming_errors: count(stats, "PROGRAMMING_ERRORS"),
      ras_driver_errors: count(stats, "DRIVER_ERRORS"),
    }),
  });
}

function ras(stats: JsonObject | undefined, category: string): number | null {
  return metric(stats, `RAS_ERROR_CAT_${category}`, sumOf);
}

function count(stats: JsonObject | undefined, category: string): string | null {
  return readingText(ras(stats, category), integerCell);
}

/** Errors of caches and memory together, counted since the driver was loaded (zesRasGetState); only where it has them. */
function eccOf(stats: JsonObject | undefined): Partial<Gpu> {
  const total = (kind: "CORRECTABLE" | "UNCORRECTABLE"): number | null => {
    const parts = [ras(stats, `CACHE_ERRORS_${kind}`), ras(stats, `NON_COMPUTE_ERRORS_${kind}`)];
    const known = parts.filter((part) => part !== null);
    return known.length === 0 ? null : integerCell(sumOf(known));
  };
  const [corrected, uncorrected] = [total("CORRECTABLE"), total("UNCORRECTABLE")];
  if (corrected === null && uncorrected === null) return {};
  return { ecc_corrected_since_load: corrected, ecc_uncorrected_since_load: uncorrected };
}

const ENGINES = ["COMPUTE", "RENDER", "MEDIA", "COPY"] as const;

function engineTexts(stats: JsonObject | undefined): Record<string, string | null> {
  return Object.fromEntries(
    ENGINES.map((engine) => [
      `${engine.toLowerCase()}_utilization`,
      readingText(metric(stats, `ENGINE_GROUP_${engine}_ALL_UTILIZATION`, meanOf), percentCell),
    ]),
  );
}

// A Max 1550 has two.
const MAX_TILES = 8;

/** What differs between the tiles of one device. */
function tileTexts(stats: JsonObject | undefined): Record<string, string | null> {
  const tiles = at(stats, "tile_level");
  if (!Array.isArray(tiles)) return {};
  return Object.fromEntries(
    tiles.slice(0, MAX_TILES).flatMap((tile: unknown) => {
      const id = integerCell(at(tile, "tile_id"));
      const value = (name: string): number | null => valueIn(at(tile, "data_list"), name);
      if (id === null) return [];
      return [
        [`tile_${id}_utilization`, readingText(value("GPU_UTILIZATION"), percentCell)],
        [`tile_${id}_temperature`, readingText(value("GPU_CORE_TEMPERATURE"), celsiusCell)],
        [`tile_${id}_power`, readingText(value("POWER"), wattsCell)],
      ];
    }),
  );
}

const highest = (values: readonly number[]): number =>
  values.reduce((max, value) => Math.max(max, value), -Infinity);

/** A metric of the device, or of its tiles combined: multi-tile devices report most metrics only by tile. */
function metric(
  stats: JsonObject | undefined,
  name: string,
  combine: (values: readonly number[]) => number | null,
): number | null {
  const own = valueIn(at(stats, "device_level"), name);
  if (own !== null) return own;
  const tiles = at(stats, "tile_level");
  if (!Array.isArray(tiles)) return null;
  const values = tiles
    .map((tile: unknown) => valueIn(at(tile, "data_list"), name))
    .filter((value) => value !== null);
  return values.length === 0 ? null : combine(values);
}

function valueIn(list: unknown, name: string): number | null {
  if (!Array.isArray(list)) return null;
  const entry: unknown = list.find((one: unknown) => at(one, "metrics_type") === `XPUM_STATS_${name}`);
  return numberCell(at(entry, "value"));
}

function totalOf(device: JsonObject | undefined): number | null {
  return totalCell(device?.["memory_physical_size_byte"], "B");
}

/**
 * Whether MEMORY_USED is in bytes, as 1.0 printed it, and not in MiB. It is when as MiB it would exceed the device's memory
 * (or 10 million MiB where that is not known), or when only bytes agree with the device's MEMORY_UTILIZATION in percent.
 */
function countsBytes(device: JsonObject | undefined, stats: JsonObject | undefined): boolean {
  const used = metric(stats, "MEMORY_USED", sumOf);
  if (used === null || used === 0) return false;
  const total = totalOf(device);
  if (total === null) return used > 1e7;
  const mebibytes = used * 2 ** 20;
  if (mebibytes > total) return true;
  const percent = percentCell(valueIn(at(stats, "device_level"), "MEMORY_UTILIZATION"));
  if (percent === null || !Number.isInteger(used)) return false;
  const off = (bytes: number): number => Math.abs((bytes / total) * 100 - percent);
  // Rounding makes less than one percent.
  return off(used) <= 1 && off(mebibytes) > 1;
}

/** From `ps -j`, whose sizes are bytes divided by 1000. xpu-smi lists itself too, which is no load of the host's. */
export function xpuProcesses(text: string, gpus: readonly Gpu[]): readonly Process[] {
  const uuidOf = uuidsByIndex(gpus);
  const lists = findJson(text).documents.map((document) => at(document, "device_util_by_proc_list"));
  return lists.flatMap((list): readonly Process[] => {
    const rows: readonly unknown[] = Array.isArray(list) ? list : [];
    return rows.flatMap((row) => {
      const pid = integerCell(at(row, "process_id"));
      const name = textCell(at(row, "process_name"));
      const index = integerCell(at(row, "device_id"));
      const kilobytes = numberCell(at(row, "mem_size"));
      if (pid === null || pid === 0 || name === "xpu-smi") return [];
      return [
        acceleratorProcess({
          pid,
          process_name: name,
          device_id: index,
          device_uuid: uuidOf(index),
          used_memory: bytesCell(kilobytes === null ? null : kilobytes * 1000, "B"),
        }),
      ];
    });
  });
}
