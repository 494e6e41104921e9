/** /proc/meminfo -> the memory section. See proc_meminfo(5). */
import type { Memory } from "../record.js";
import { kibibytes, lessBy, percentOf } from "./numbers.js";

/** Null when there is no MemTotal. `limitBytes`: the cgroup's, noted when it is below the machine's memory. */
export function parseMeminfo(lines: readonly string[], limitBytes: number | null): Memory | null {
  const values = new Map<string, number>();
  for (const line of lines) {
    // Every name there begins with a capital; the CPUs of a large host are some hundred other lines.
    if (!isCapital(line.charCodeAt(0))) continue;
    const match = /^(\w+):\s+(\d+) kB$/.exec(line.trimEnd());
    const bytes = kibibytes(match?.[2]);
    if (match?.[1] !== undefined && bytes !== null) values.set(match[1], bytes);
  }
  const value = (key: string): number | null => values.get(key) ?? null;
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

function isCapital(code: number): boolean {
  return code >= 0x41 && code <= 0x5a;
}
