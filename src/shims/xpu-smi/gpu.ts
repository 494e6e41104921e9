/** xpu-smi's devices: 1.x's JSON of `discovery` and `stats`, 2.0's CSV, and the processes of `ps`. */
import type { Gpu, Process, SectionError } from "../../contract/record.js";
import { oneLine } from "../../lib/text.js";
import { accelerator, acceleratorProcess, freeOf, uuidsByIndex } from "../kit/accelerator.js";
import {
  bytesCell,
  celsiusCell,
  fanCell,
  integerCell,
  linkCell,
  megahertzCell,
  numberCell,
  percentCell,
  presentTexts,
  readingText,
  textCell,
  totalCell,
  wattsCell,
  wattsLimitCell,
  type ByteUnit,
} from "../kit/cells.js";
import { readCsv } from "../kit/csv-rows.js";
import { distinctDevices } from "../kit/device-list.js";
import { meanOf, sumOf } from "../kit/digits.js";
import { at, findJson, isObject, type JsonObject } from "../kit/json-text.js";

/** By device id: what `discovery` told, of all together and of each. */
export type XpuDevices = ReadonlyMap<number, JsonObject>;

export function devicesIn(text: string): XpuDevices {
  const devices = new Map<number, JsonObject>();
  for (const document of findJson(text).documents) {
    const list = at(document, "device_list");
    for (const device of Array.isArray(list) ? (list as readonly unknown[]) : [document]) {
      const id = integerCell(at(device, "device_id"));
      if (id === null || id > 255 || !isObject(device) || isStats(device)) continue;
      devices.set(id, { ...devices.get(id), ...known(device) });
    }
  }
  return devices;
}

/** What is read of a device; with all else that a host may print, merging would cost ever more. */
function known(device: JsonObject): JsonObject {
  return Object.fromEntries(
    DEVICE_KEYS.flatMap((key) => (Object.hasOwn(device, key) ? [[key, device[key]]] : [])),
  );
}
const DEVICE_KEYS = [
  ...["memory_physical_size_byte", "uuid", "device_name", "serial_number", "pci_bdf_address"],
  ...["driver_version", "vendor_name", "pci_device_id", "device_function_type"],
] as const;

function isStats(document: unknown): boolean {
  return at(document, "device_level") !== undefined || at(document, "tile_level") !== undefined;
}

/** The known devices with what `stats` told of them; one that it told nothing of has no readings. */
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
  // One release prints all devices' memory in one unit.
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
  const told = bytesCell(metric(stats, "MEMORY_USED", sumOf), unit);
  const used = told !== null && total !== null && told > total ? null : told;
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
    detail: presentTexts({
      vendor: textCell(device?.["vendor_name"]),
      device_id: textCell(device?.["pci_device_id"]),
      function_type: textCell(device?.["device_function_type"]),
      media_frequency: readingText(metric(stats, "MEDIA_ENGINE_FREQUENCY", highest), megahertzCell),
    }),
  });
}

const highest = (values: readonly number[]): number =>
  values.reduce((most, value) => Math.max(most, value), -Infinity);

/** A metric of the device, or of its tiles taken together: multi-tile devices tell most of theirs by tile alone. */
function metric(
  stats: JsonObject | undefined,
  name: string,
  together: (values: readonly number[]) => number | null,
): number | null {
  const own = valueIn(at(stats, "device_level"), name);
  if (own !== null) return own;
  const tiles = at(stats, "tile_level");
  if (!Array.isArray(tiles)) return null;
  const values = tiles
    .map((tile: unknown) => valueIn(at(tile, "data_list"), name))
    .filter((value) => value !== null);
  return values.length === 0 ? null : together(values);
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
 * Whether MEMORY_USED is bytes, as 1.0 printed it, and not MiB: as MiB it would exceed the device's memory (10 million of
 * them where that is not known), or bytes are what the device's MEMORY_UTILIZATION in percent is about.
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
  // One percent is more than rounding costs.
  return off(used) <= 1 && off(mebibytes) > 1;
}

const COLUMNS = [
  "index",
  "uuid",
  "name",
  "serial",
  "driver_version",
  "pci.bus_id",
  "utilization.gpu",
  "utilization.memory",
  "memory.total",
  "memory.used",
  "memory.free",
  "temperature.gpu",
  "temperature.memory",
  "power.draw",
  "power.limit",
  "clocks.current.graphics",
  "fan.speed",
  "pcie.link.gen.current",
  "pcie.link.width.current",
  "ecc.errors.corrected.aggregate.total",
  "ecc.errors.uncorrected.aggregate.total",
] as const;
/** What 2.0 is asked for. */
export const QUERY_FIELDS = COLUMNS.join(",");

export function gpusInCsv(text: string): {
  readonly gpus: readonly Gpu[];
  readonly errors: readonly SectionError[];
} {
  const gpus: Gpu[] = [];
  const errors: SectionError[] = [];
  for (const line of readCsv(text, COLUMNS, "name").lines) {
    const index = line.kind === "row" ? integerCell(line.cells.get("index")) : null;
    if (line.kind === "row" && index !== null) gpus.push(gpuOfRow(index, line.cells));
    else {
      const shown = line.kind === "text" ? line.text : [...line.cells.values()].join(", ");
      errors.push({ section: "gpu", kind: "error", message: `xpu-smi: ${oneLine(shown)}` });
    }
  }
  return { gpus: distinctDevices(gpus), errors };
}

function gpuOfRow(index: number, row: ReadonlyMap<string, string>): Gpu {
  const cell = (column: (typeof COLUMNS)[number]): string | undefined => row.get(column);
  const total = totalCell(cell("memory.total"), "MiB");
  const used = bytesCell(cell("memory.used"), "MiB");
  return accelerator("GPU", {
    index,
    uuid: textCell(cell("uuid")),
    name: textCell(cell("name")),
    serial: textCell(cell("serial")),
    driver_version: textCell(cell("driver_version")),
    pci_bus_id: textCell(cell("pci.bus_id")),
    utilization: percentCell(cell("utilization.gpu")),
    memory_utilization: percentCell(cell("utilization.memory")),
    total_memory: total,
    used_memory: used,
    memory_free: bytesCell(cell("memory.free"), "MiB") ?? freeOf(total, used),
    temperature: celsiusCell(cell("temperature.gpu")),
    temperature_memory: celsiusCell(cell("temperature.memory")),
    power_consumption: wattsCell(cell("power.draw")),
    power_limit: wattsLimitCell(cell("power.limit")),
    frequency: megahertzCell(cell("clocks.current.graphics")),
    fan_speed_percent: fanCell(cell("fan.speed")),
    pcie_link_gen: linkCell(cell("pcie.link.gen.current")),
    pcie_link_width: linkCell(cell("pcie.link.width.current")),
    ecc_corrected_total: integerCell(cell("ecc.errors.corrected.aggregate.total")),
    ecc_uncorrected_total: integerCell(cell("ecc.errors.uncorrected.aggregate.total")),
  });
}

/** `ps -j`; its sizes are bytes divided by 1000. The query sees itself, which is no load of the host's. */
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
