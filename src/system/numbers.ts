/** Numbers of /proc and /sys; null for a text that is not exactly one. */

/** A whole number >= 0 below 2^53; null for anything else. */
export function wholeNumber(text: string | undefined): number | null {
  if (text === undefined || !/^\d{1,16}$/.test(text)) return null;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : null;
}

/** Kernel "kB", which are KiB, as bytes. */
export function kibibytes(text: string | undefined): number | null {
  const value = wholeNumber(text);
  return value === null || !Number.isSafeInteger(value * 1024) ? null : value * 1024;
}

/** part / whole as a percentage with two decimals; null when that is not within 0..100. */
export function percentOf(part: number, whole: number): number | null {
  if (!(whole > 0) || !(part >= 0) || part > whole) return null;
  return Math.round((part / whole) * 10_000) / 100;
}

/** a - b; null when either is unknown or the difference would be negative. */
export function lessBy(a: number | null, b: number | null): number | null {
  return a === null || b === null || a < b ? null : a - b;
}

/** The CPUs of a kernel list such as `0-3,8`, at most 65,536; null for any other text. */
export function cpuList(text: string): readonly number[] | null {
  const cpus: number[] = [];
  for (const range of text.trim().split(",")) {
    const match = /^(\d{1,6})(?:-(\d{1,6}))?$/.exec(range);
    if (match === null) return null;
    const first = Number(match[1]);
    const last = Number(match[2] ?? match[1]);
    if (last < first || cpus.length + last - first >= 65_536) return null;
    for (let cpu = first; cpu <= last; cpu++) cpus.push(cpu);
  }
  return cpus;
}
