/** Cells that only nvidia-smi prints: P-states, modes and the mask of throttle reasons. */
import { booleanCell, integerCell } from "../kit/cells.js";

/** `P0` -> 0; null for anything above P15 (nvml.h: NVML_PSTATE_UNKNOWN is 32). */
export function performanceState(cell: unknown): number | null {
  const match = typeof cell === "string" ? /^P(\d{1,2})$/.exec(cell) : null;
  const state = match === null ? null : Number(match[1]);
  return state !== null && state <= 15 ? state : null;
}

/** `Enabled` or `Disabled`; null for any other text. */
export function enabledCell(cell: unknown): boolean | null {
  return typeof cell === "string" && /^(?:en|dis)abled$/i.test(cell) ? booleanCell(cell) : null;
}

/** nvidia-smi's field name for each bit of nvml.h's nvmlClocksEventReasons. */
const REASONS: readonly string[] = [
  "gpu_idle",
  "applications_clocks_setting",
  "sw_power_cap",
  "hw_slowdown",
  "sync_boost",
  "sw_thermal_slowdown",
  "hw_thermal_slowdown",
  "hw_power_brake_slowdown",
  "display_clock_setting",
];

/** `0x0000000000000041` -> names of the set bits, [] for none; a bit without a name is given as `0x200`. */
export function throttleReasons(cell: unknown): string[] | null {
  if (typeof cell !== "string" || !/^0x[0-9a-f]{1,16}$/i.test(cell)) return null;
  const set: string[] = [];
  for (let rest = BigInt(cell), bit = 0; rest !== 0n; rest >>= 1n, bit += 1) {
    if (rest & 1n) set.push(REASONS[bit] ?? `0x${(1n << BigInt(bit)).toString(16)}`);
  }
  return set;
}

/** Whole microseconds; the XML prints the unit `us`, a row does not. */
export function microseconds(cell: unknown): number | null {
  return integerCell(typeof cell === "string" ? cell.replace(/ us$/, "") : cell);
}

/** A number of memory banks; the XML prints `2560 bank(s)`. */
export function bankCount(cell: unknown): number | null {
  return integerCell(typeof cell === "string" ? cell.replace(/ bank\(s\)$/, "") : cell);
}

// T.Limit counts down from the maximum operating temperature, 0, to the shutdown some degrees below it.
const MAX_MARGIN = 200;

/** Degrees C below the maximum operating temperature, as `26` or `26 C`: the one reading that may be below 0. */
export function temperatureMargin(cell: unknown): number | null {
  if (typeof cell === "number") return Math.abs(cell) <= MAX_MARGIN ? cell : null;
  const digits = typeof cell === "string" ? /^(-?\d{1,3})(?: C)?$/.exec(cell)?.[1] : undefined;
  // `-0` is 0.
  return digits === undefined ? null : temperatureMargin(Number(digits) + 0);
}

// More than a link of generation 7 with sixteen lanes carries.
const MAX_BYTES_PER_SECOND = 256e9;

/** `359 KB/s`, as the XML prints it, or whole MB/s as dmon does: bytes a second, by thousands (nvmlDeviceGetPcieThroughput). */
export function bytesPerSecond(cell: unknown): number | null {
  const [, digits, kilo] = (typeof cell === "string" ? /^(\d{1,9})( KB\/s)?$/.exec(cell) : null) ?? [];
  if (digits === undefined) return null;
  const bytes = Number(digits) * (kilo === undefined ? 1e6 : 1e3);
  return bytes > MAX_BYTES_PER_SECOND ? null : bytes;
}
