/** Numbers as the table's texts. What is missing or no number is a dash, never 0. */

export const UNKNOWN = "-";
const GIB = 2 ** 30;
const KILO = 1000;
/** Watts from here on are kilowatts. */
const MIN_KILO = 10_000;

export function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

export function rounded(value: unknown): string {
  return isNumber(value) ? String(Math.round(value)) : UNKNOWN;
}

/** Bytes as GiB. */
export function gib(value: unknown): string {
  if (!isNumber(value)) return UNKNOWN;
  const amount = value / GIB;
  return amount >= 100 ? String(Math.round(amount)) : amount.toFixed(1);
}

/** As `40.0/80.0`; the first alone where the limit is not known. */
export function pair(now: string, limit: string): string {
  return limit === UNKNOWN ? now : `${now}/${limit}`;
}

/** As `612 W` or `182.4 kW`. */
export function wattsText(watts: number): string {
  return watts >= MIN_KILO ? `${(watts / KILO).toFixed(1)} kW` : `${Math.round(watts)} W`;
}

/** As `1 host` or `60 hosts`. */
export function counted(count: number, name: string): string {
  return `${count} ${name}${count === 1 ? "" : "s"}`;
}
