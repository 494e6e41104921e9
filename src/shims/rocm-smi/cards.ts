/**
 * The cards in rocm-smi's JSON. All values are texts. Spellings of keys differ between releases, so keys are compared in
 * lower case without a colon at the end.
 */
import type { Gpu } from "../../contract/record.js";
import { accelerator, freeOf } from "../kit/accelerator.js";
import { badPageTexts, type AmdSysfs } from "../kit/amd-sysfs.js";
import {
  bytesCell,
  celsiusCell,
  fanCell,
  linkCell,
  megahertzCell,
  percentCell,
  presentTexts,
  readingText,
  textCell,
  totalCell,
  wattsCell,
  wattsLimitCell,
} from "../kit/cells.js";
import { isMissing } from "../kit/no-value.js";
import { findJson, isObject, type JsonObject } from "../kit/json-text.js";
import { pcieGeneration, replaysOf } from "../kit/pcie.js";

/** One card's or the system's values under keys in lower case. */
export type Values = ReadonlyMap<string, unknown>;
interface CardsFound {
  readonly cards: ReadonlyMap<number, Values>;
  readonly system: Values;
  readonly cut: boolean;
}

/** `cut`: the JSON ended early. */
export function cardsIn(stdout: string): CardsFound {
  const { documents, cut } = findJson(stdout);
  const cards = new Map<number, Map<string, unknown>>();
  const system = new Map<string, unknown>();
  for (const document of documents) {
    if (!isObject(document)) continue;
    for (const [key, value] of Object.entries(document)) {
      if (!isObject(value)) continue;
      const index = /^card(\d{1,4})$/i.exec(key.trim())?.[1];
      if (index !== undefined) {
        const card = cards.get(Number(index)) ?? new Map<string, unknown>();
        cards.set(Number(index), card);
        // A card may be in two documents: the later one adds what the earlier left out.
        const earlier = new Set(card.keys());
        for (const [name, text] of valuesOf(value)) if (!earlier.has(name)) card.set(name, text);
      } else if (key.trim().toLowerCase() === "system") {
        for (const [name, text] of valuesOf(value)) system.set(name, text);
      }
    }
  }
  return { cards, system, cut };
}

function valuesOf(object: JsonObject): Values {
  return new Map(
    Object.entries(object).map(([key, value]) => [
      key.replace(/\s+/g, " ").trim().replace(/ ?:$/, "").toLowerCase(),
      value,
    ]),
  );
}

/** The value of the first spelling that has one: N/A under one key does not hide a value under the next. */
function read<T>(card: Values, cell: (raw: unknown) => T | null, ...keys: readonly string[]): T | null {
  for (const key of keys) {
    const value = cell(card.get(key));
    if (value !== null) return value;
  }
  return null;
}

/** `sysfs`: what the driver has of the card; undefined where the host has no such files. */
export function gpuOf(index: number, card: Values, driver: string | null, sysfs?: AmdSysfs): Gpu {
  const total =
    read(card, totalBytes, "vram total memory (b)") ?? read(card, totalMebibytes, "vram total memory (mib)");
  const used =
    read(card, bytes, "vram total used memory (b)") ?? read(card, mebibytes, "vram total used memory (mib)");
  return accelerator("GPU", {
    index,
    uuid: read(card, identifier, "unique id"),
    name: read(card, nameCell, "card series", "device name", "card model"),
    serial: read(card, identifier, "serial number"),
    pci_bus_id: read(card, textCell, "pci bus"),
    driver_version: driver,
    utilization: read(card, percentCell, "gpu use (%)", "dcu use (%)", "hcu use (%)"),
    // Until 6.1.1 "GPU memory use" is the memory controller's activity, which has a clearer key later.
    memory_utilization: read(card, percentCell, "gpu memory read/write activity (%)", "gpu memory use (%)"),
    total_memory: total,
    used_memory: used,
    memory_free: freeOf(total, used),
    // MI300 has no edge sensor.
    temperature: read(
      card,
      celsiusCell,
      "temperature (sensor edge) (c)",
      "temperature (sensor junction) (c)",
    ),
    temperature_memory:
      read(card, celsiusCell, "temperature (sensor memory) (c)", "temperature (sensor mem) (c)") ??
      hottestStack(card),
    power_consumption: read(
      card,
      wattsCell,
      "current socket graphics package power (w)",
      "average graphics package power (w)",
      "average graphics package power",
    ),
    power_limit: read(card, wattsLimitCell, "max graphics package power (w)"),
    frequency: read(card, clockCell, "sclk clock speed", "sclk clock level"),
    clock_memory: read(card, clockCell, "mclk clock speed", "mclk clock level"),
    fan_speed_percent: read(card, fanCell, "fan speed (%)"),
    ...linkOf(card),
    ...eccOf(sysfs),
    ...replaysOf(sysfs?.replays ?? null),
    detail: presentTexts({
      device_id: read(card, textCell, "device id", "gpu id"),
      vendor: read(card, nameCell, "card vendor"),
      sku: read(card, textCell, "card sku"),
      gfx_version: read(card, textCell, "gfx version"),
      guid: read(card, textCell, "guid"),
      vbios_version: read(card, textCell, "vbios version"),
      performance_level: read(card, textCell, "performance level"),
      junction_temperature: readingText(card.get("temperature (sensor junction) (c)"), celsiusCell),
      vram_allocated_percent: read(card, textCell, "gpu memory allocated (vram%)", "dcu memory use (%)"),
      // Only the primary die of a two-die card reports power, for both.
      power_note: noteIn(card.get("average graphics package power (w)")),
      gfx_voltage:
        sysfs?.millivolts === undefined || sysfs.millivolts === null ? null : `${sysfs.millivolts} mV`,
      ...badPageTexts(sysfs?.badPages),
    }),
  });
}

/** `1 (16.0GT/s x16)`; some releases and cards do not print it. */
function linkOf(card: Values): Pick<Gpu, "pcie_link_gen" | "pcie_link_width"> {
  const level = card.get("pcie clock level");
  if (level === undefined) return {};
  const [, speed = null, lanes] =
    /\(([\d.]+ ?GT\/s) x(\d+)\)/.exec(typeof level === "string" ? level : "") ?? [];
  return { pcie_link_gen: pcieGeneration(speed), pcie_link_width: linkCell(lanes) };
}

/** Memory errors as the driver counts them, from its load on; only where the card has such counters. */
function eccOf(
  sysfs: AmdSysfs | undefined,
): Pick<Gpu, "ecc_corrected_since_load" | "ecc_uncorrected_since_load"> {
  if (sysfs === undefined || (sysfs.corrected === null && sysfs.uncorrected === null)) return {};
  return {
    ecc_corrected_since_load: sysfs.corrected,
    ecc_uncorrected_since_load: sysfs.uncorrected,
  };
}

const bytes = (raw: unknown): number | null => bytesCell(raw, "B");
const mebibytes = (raw: unknown): number | null => bytesCell(raw, "MiB");

const totalBytes = (raw: unknown): number | null => totalCell(raw, "B");
const totalMebibytes = (raw: unknown): number | null => totalCell(raw, "MiB");

/** MI200 has a sensor per stack of memory; some releases list only these: `Temperature (Sensor HBM 0) (C)`. */
function hottestStack(card: Values): number | null {
  const stacks = [0, 1, 2, 3, 4, 5, 6, 7].map((stack) =>
    celsiusCell(card.get(`temperature (sensor hbm ${String(stack)}) (c)`)),
  );
  const known = stacks.filter((value) => value !== null);
  return known.length === 0 ? null : Math.max(...known);
}

/** Null for a vendor's id in place of a name (`0x1002`, ROCm 4.3). */
function nameCell(raw: unknown): string | null {
  const text = textCell(raw);
  return text === null || /^0x[0-9a-f]+$/i.test(text) ? null : text;
}

/** Null for a serial number or id of only zeros or only f. */
function identifier(raw: unknown): string | null {
  const text = textCell(raw);
  return text === null || /^(?:0x)?(?:0+|f{8,})$/.test(text.toLowerCase()) ? null : text;
}

/** `(1402Mhz)` or `1 (500Mhz)`. */
function clockCell(raw: unknown): number | null {
  if (typeof raw !== "string") return null;
  return megahertzCell(/\(([^()]*)\)\s*$/.exec(raw)?.[1] ?? raw);
}

function noteIn(raw: unknown): string | null {
  return typeof raw === "string" && isMissing(raw) ? (/\(([^()]+)\)/.exec(raw)?.[1] ?? null) : null;
}
