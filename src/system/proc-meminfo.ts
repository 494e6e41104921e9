/** /proc/meminfo -> the memory section. See proc_meminfo(5). */
import type { Memory } from "../contract/record.js";
import { isDigit, lessBy, percentOf } from "./numbers.js";

const NAMES = ["MemTotal", "MemFree", "MemAvailable", "Buffers", "Cached", "SwapTotal", "SwapFree"] as const;

/** What the text that is being read says of each name; NaN where it says nothing. */
const told = new Float64Array(NAMES.length);

/** Null when there is no MemTotal. `limitBytes`: the cgroup's, noted when it is below the machine's memory. */
export function parseMeminfo(lines: readonly string[], limitBytes: number | null): Memory | null {
  told.fill(Number.NaN);
  for (const line of lines) {
    // Every name there begins with a capital; the CPUs of a large host are some hundred other lines.
    if (!isCapital(line.charCodeAt(0))) continue;
    const colon = line.indexOf(":");
    const name = colon < 0 ? -1 : nameIn(line, colon);
    const bytes = name < 0 ? null : bytesIn(line, colon + 1);
    if (bytes !== null) told[name] = bytes;
  }
  const value = (name: (typeof NAMES)[number]): number | null => {
    const bytes = told[NAMES.indexOf(name)] ?? Number.NaN;
    return Number.isNaN(bytes) ? null : bytes;
  };
  const total = value("MemTotal");
  if (total === null) return null;
  const available = value("MemAvailable") ?? sum(value("MemFree"), value("Buffers"), value("Cached"));
  const used = lessBy(total, available);
  return {
    index: 0,
    total_bytes: total,
    used_bytes: used,
    available_bytes: available,
    free_bytes: value("MemFree"),
    buffers_bytes: value("Buffers"),
    cached_bytes: value("Cached"),
    swap_total_bytes: value("SwapTotal"),
    swap_used_bytes: lessBy(value("SwapTotal"), value("SwapFree")),
    swap_free_bytes: value("SwapFree"),
    utilization: used === null ? null : percentOf(used, total),
    ...(limitBytes !== null && limitBytes < total ? { limit_bytes: limitBytes } : {}),
  };
}

/** What kernels before 3.14, which have no MemAvailable, leave to be added up. */
function sum(...parts: readonly (number | null)[]): number | null {
  return parts.reduce((total, part) => (total === null || part === null ? null : total + part), 0);
}

/** Which of the names ends at the colon; -1 for none. */
function nameIn(line: string, colon: number): number {
  for (let name = 0; name < NAMES.length; name++)
    if (NAMES[name]?.length === colon && line.startsWith(NAMES[name] ?? "")) return name;
  return -1;
}

/** `    8672 kB` from `begin` on, in bytes; null for anything else. */
function bytesIn(line: string, begin: number): number | null {
  let first = begin;
  while (isBlank(line.charCodeAt(first))) first += 1;
  let end = first;
  let kib = 0;
  for (let code = line.charCodeAt(end); isDigit(code); code = line.charCodeAt(++end))
    kib = kib * 10 + (code - 0x30);
  const isNumber = first > begin && end > first && end - first <= 16 && Number.isSafeInteger(kib * 1024);
  if (!isNumber || !line.startsWith(" kB", end)) return null;
  return end + 3 === line.length || line.slice(end + 3).trim() === "" ? kib * 1024 : null;
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

function isCapital(code: number): boolean {
  return code >= 0x41 && code <= 0x5a;
}
