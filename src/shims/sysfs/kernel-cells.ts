/** Numbers as the kernel writes them: whole, in thousandths or millionths of a unit. */
import { celsiusCell, megahertzCell, wattsCell, wattsLimitCell } from "../kit/cells.js";
import { shifted } from "../kit/digits.js";
import { isAllOnes } from "../kit/stand-ins.js";

/** A whole number >= 0 times 10^power; null for any other text and for all ones. */
function scaledBy(text: string | undefined, power: number): number | null {
  if (text === undefined || !/^\d{1,15}$/.test(text)) return null;
  const value = Number(text);
  return isAllOnes(value) ? null : shifted(value, power);
}

/** Degrees C from millidegrees. */
export const millidegrees = (text: string | undefined): number | null => celsiusCell(scaledBy(text, -3));

/** Watts from microwatts. */
export const microwatts = (text: string | undefined): number | null => wattsCell(scaledBy(text, -6));

/** A limit in watts from microwatts; 0 is a limit that is disabled, and null. */
export const microwattsLimit = (text: string | undefined): number | null =>
  wattsLimitCell(scaledBy(text, -6));

/** MHz from Hz. */
export const hertz = (text: string | undefined): number | null => megahertzCell(scaledBy(text, -6));

const GENERATIONS = new Map([
  ["2.5", 1],
  ["5.0", 2],
  ["8.0", 3],
  ["16.0", 4],
  ["32.0", 5],
  ["64.0", 6],
]);

/** PCIe generation of `16.0 GT/s PCIe` (older kernels: `16 GT/s`); null for `Unknown`. */
export function linkGeneration(text: string | undefined): number | null {
  const speed = /^(\d{1,2})(\.\d)? GT\/s(?: PCIe)?$/.exec(text ?? "");
  return GENERATIONS.get(`${speed?.[1] ?? ""}${speed?.[2] ?? ".0"}`) ?? null;
}

/** A pwm of 0 to 255 in percent (Documentation/hwmon/sysfs-interface.rst). */
export function pwmPercent(text: string | undefined): number | null {
  const value = scaledBy(text, 0);
  return value === null || value > 255 ? null : Math.round((value / 255) * 1000) / 10;
}
