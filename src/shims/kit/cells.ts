/**
 * Reads one cell of a vendor tool's output as a finite number >= 0, a clean text, a boolean, or null. Shared by every
 * shim. The cell is a value of JSON or CSV (`unknown`). What is not clearly a value is null.
 */
import { cleanText } from "../../lib/text.js";
import { shifted } from "./digits.js";
import { isMissing } from "./no-value.js";
import { isAllOnes, isAllOnesText } from "./stand-ins.js";

/** Trimmed text without control characters; null for a sentinel. A number becomes its decimal text. */
export function textCell(raw: unknown): string | null {
  if (typeof raw === "number") return Number.isFinite(raw) && !isAllOnes(raw) ? String(raw) : null;
  if (typeof raw !== "string" || isMissing(raw)) return null;
  const text = raw.trim();
  return isAllOnesText(text) ? null : cleanText(text);
}

/** For `detail`: the text of a cell that `read` accepts as a reading; null for any other cell. */
export function readingText(raw: unknown, read: (raw: unknown) => number | null): string | null {
  return read(raw) === null ? null : textCell(raw);
}

// The usual cell: this pattern is cheaper than the next one.
const PLAIN_NUMBER = /^\d{1,9}(?:\.\d{1,9})?$/;
const NUMBER_AND_UNIT = /^\+?(\d+(?:\.\d*)?|\.\d+)\s*([a-zµμ%°/]*)$/i;

interface Quantity {
  readonly value: number;
  /** Lower case, "" when none was printed. */
  readonly unit: string;
}

function quantity(raw: unknown): Quantity | null {
  if (typeof raw === "number") return usable(raw) ? { value: raw, unit: "" } : null;
  if (typeof raw !== "string") return null;
  if (PLAIN_NUMBER.test(raw) && raw.length < 7) return { value: Number(raw), unit: "" };
  const match = NUMBER_AND_UNIT.exec(raw.trim());
  if (match === null) return null;
  const value = Number(match[1]);
  return usable(value) ? { value, unit: (match[2] ?? "").toLowerCase() } : null;
}

// Negative numbers are sentinels in every tool, and so are all ones of 32 and 64 bits.
function usable(value: number): boolean {
  return Number.isFinite(value) && value >= 0 && value <= Number.MAX_SAFE_INTEGER && !isAllOnes(value);
}

/** `powers`: the power of ten of each unit, in lower case. `max`: the largest value that is a reading. */
function scaled(raw: unknown, powers: ReadonlyMap<string, number>, max: number): number | null {
  // A shortcut: a number has no unit, and a tick reads hundreds of them.
  if (typeof raw === "number") return usable(raw) ? within(raw, powers.get(""), max) : null;
  const parsed = quantity(raw);
  return parsed === null ? null : within(parsed.value, powers.get(parsed.unit), max);
}

function within(bare: number, power: number | undefined, max: number): number | null {
  if (power === undefined) return null;
  const value = shifted(bare, power);
  return value <= max ? value : null;
}

/** A finite number >= 0; a unit after it is ignored. */
export function numberCell(raw: unknown): number | null {
  return quantity(raw)?.value ?? null;
}

/** A whole number >= 0 without a unit. */
export function integerCell(raw: unknown): number | null {
  const parsed = quantity(raw);
  return parsed !== null && parsed.unit === "" && Number.isInteger(parsed.value) ? parsed.value : null;
}

const PERCENT = new Map([
  ["", 0],
  ["%", 0],
]);

/** 0 to 100, with or without `%`; anything above is a sentinel (amd-smi's 65535) and null. */
export function percentCell(raw: unknown): number | null {
  return scaled(raw, PERCENT, 100);
}

const CELSIUS = new Map([
  ["", 0],
  ["c", 0],
  ["°c", 0],
]);
// Chips shut down below 130 C. Higher values are an 8-bit 255, a 16-bit 65535 or 65535 / 16 (4095.9).
const MAX_CELSIUS = 200;

/** Degrees C as `36`, `36 C`, `41.3°C`. Below 0 or above 200 is a sensor that is off (`-256C`, 255, 65535): null. */
export function celsiusCell(raw: unknown): number | null {
  return scaled(raw, CELSIUS, MAX_CELSIUS);
}

const WATTS = new Map([
  ["", 0],
  ["w", 0],
  ["mw", -3],
  ["uw", -6],
  ["µw", -6],
  ["μw", -6],
  ["kw", 3],
]);
// All ones of 16 and 15 bits, in tenths of a watt.
const NO_WATTS: ReadonlySet<number> = new Set([6553.5, 3276.7]);

/** Watts from `W`, `mW`, `uW`, `kW` or a bare number; 32767 and 65535, in watts or tenths of a watt, are null. */
export function wattsCell(raw: unknown): number | null {
  const watts = scaled(raw, WATTS, 30_000);
  return watts === null || NO_WATTS.has(watts) ? null : watts;
}

/** A power limit in watts: 0 W means none (amd-smi of an APU, rocm-smi of a secondary die) and is null. */
export function wattsLimitCell(raw: unknown): number | null {
  const watts = wattsCell(raw);
  return watts === 0 ? null : watts;
}

const JOULES = new Map([
  ["", 0],
  ["j", 0],
  ["mj", -3],
  ["uj", -6],
]);

/** Joules from `J`, `mJ`, `uJ` or a bare number. */
export function joulesCell(raw: unknown): number | null {
  // What 30 kW draw in a century.
  return scaled(raw, JOULES, 1e14);
}

const MEGAHERTZ = new Map([
  ["", 0],
  ["mhz", 0],
  ["ghz", 3],
  ["khz", -3],
]);

/** MHz from `MHz`, `GHz`, `kHz` or a bare number; 32767 and 65535 are above any real clock, and null. */
export function megahertzCell(raw: unknown): number | null {
  return scaled(raw, MEGAHERTZ, 30_000);
}

/** A fan speed in percent, which may exceed 100 (nvidia-smi(1)); 255 and above are null. */
export function fanCell(raw: unknown): number | null {
  return scaled(raw, PERCENT, 254);
}

/** PCIe generation or number of lanes, 1 to 64. Tools print 0, 255 or 65535 for a link that they could not read. */
export function linkCell(raw: unknown): number | null {
  const value = integerCell(typeof raw === "string" ? raw.replace(/^x|x$/i, "") : raw);
  return value === null || value === 0 || value > 64 ? null : value;
}

export type ByteUnit = "B" | "KiB" | "MiB" | "GiB" | "TiB";
const BYTES_IN: Readonly<Record<ByteUnit, number>> = {
  B: 1,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
  TiB: 1024 ** 4,
};
const BYTES = new Map([
  ...["b", "byte", "bytes"].map((name) => [name, BYTES_IN.B] as const),
  ...["k", "kb", "kib"].map((name) => [name, BYTES_IN.KiB] as const),
  ...["m", "mb", "mib"].map((name) => [name, BYTES_IN.MiB] as const),
  ...["g", "gb", "gib"].map((name) => [name, BYTES_IN.GiB] as const),
  ...["t", "tb", "tib"].map((name) => [name, BYTES_IN.TiB] as const),
]);

/**
 * Whole bytes. `bare` is the unit of a number without one. `MB` and `GB` are binary, as in nvidia-smi, amd-smi, npu-smi
 * and tegrastats.
 */
export function bytesCell(raw: unknown, bare: ByteUnit): number | null {
  if (typeof raw === "number") return usable(raw) ? wholeBytes(raw * BYTES_IN[bare]) : null;
  const parsed = quantity(raw);
  if (parsed === null) return null;
  const scale = parsed.unit === "" ? BYTES_IN[bare] : BYTES.get(parsed.unit);
  return scale === undefined ? null : wholeBytes(parsed.value * scale);
}

// 256 TiB: no device and no host has so much, and 2^48 - 1 is itself a sentinel.
const MAX_BYTES = 2 ** 48;

function wholeBytes(bytes: number): number | null {
  const value = Math.round(bytes);
  return Number.isSafeInteger(value) && value < MAX_BYTES - 1 ? value : null;
}

/** The total memory of a device, in bytes: 0 is a reading that failed, and null. */
export function totalCell(raw: unknown, bare: ByteUnit): number | null {
  const bytes = bytesCell(raw, bare);
  return bytes === 0 ? null : bytes;
}

const TRUE_TEXTS = new Set(["enabled", "yes", "true", "active", "on", "1"]);
const FALSE_TEXTS = new Set(["disabled", "no", "false", "not active", "off", "0", "none"]);

/** Enabled / Disabled, Yes / No, Active / Not Active, On / Off; null for anything else. */
export function booleanCell(raw: unknown): boolean | null {
  if (typeof raw === "boolean") return raw;
  if (typeof raw !== "string") return null;
  const word = raw.trim().toLowerCase();
  if (TRUE_TEXTS.has(word)) return true;
  return FALSE_TEXTS.has(word) ? false : null;
}

/** Without the entries that hold null or "": for `detail`, which holds texts only. */
export function presentTexts(entries: Readonly<Record<string, string | null>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(entries).filter(
      (entry): entry is [string, string] => entry[1] !== null && entry[1] !== "",
    ),
  );
}
