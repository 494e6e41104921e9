/** /proc/meminfo -> the memory section. See proc_meminfo(5). */
import type { Memory } from "../contract/record.js";
import { quickMeminfo } from "./fast/proc-meminfo.js";
import { kibibytes, lessBy, percentOf } from "./numbers.js";

export const MEMINFO_NAMES = [
  "MemTotal",
  "MemFree",
  "MemAvailable",
  "Buffers",
  "Cached",
  "SwapTotal",
  "SwapFree",
] as const;

/** The switch: plainMeminfo does the same, slower. test/system/fast/proc-meminfo.test.ts compares them. */
const readMeminfo = quickMeminfo;

/** Null when there is no MemTotal. `limitBytes`: the cgroup's limit, noted when it is below the machine's memory. */
export function parseMeminfo(lines: readonly string[], limitBytes: number | null): Memory | null {
  const found = readMeminfo(lines, MEMINFO_NAMES);
  const value = (name: (typeof MEMINFO_NAMES)[number]): number | null =>
    found[MEMINFO_NAMES.indexOf(name)] ?? null;
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

/** Bytes of each of `names`, in their order, from lines as `NAME:   8672 kB`, the last where a name has several; else null. */
export function plainMeminfo(lines: readonly string[], names: readonly string[]): readonly (number | null)[] {
  const found = new Map<string, number>();
  for (const line of lines) {
    const match = /^(\w+):[ \t]+(\d+) kB\s*$/.exec(line);
    const bytes = kibibytes(match?.[2]);
    if (match?.[1] !== undefined && bytes !== null) found.set(match[1], bytes);
  }
  return names.map((name) => found.get(name) ?? null);
}

/** Kernels before 3.14 have no MemAvailable; the sum of these is close. */
function sum(...parts: readonly (number | null)[]): number | null {
  return parts.reduce((total, part) => (total === null || part === null ? null : total + part), 0);
}
