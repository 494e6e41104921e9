/** Arithmetic on printed decimals without rounding noise: 5842 mW are 5.842 W, not 5.8420000000000005. */

/** value * 10^power, as if the decimal point were moved in the text: never more digits than `value` has. */
export function shifted(value: number, power: number): number {
  if (power === 0 || value === 0) return value;
  const [digits = "", exponent = "0"] = String(value).split("e");
  return Number(`${digits}e${String(Number(exponent) + power)}`);
}

/** The sum, with as many decimals as the value with the most. */
export function sumOf(values: readonly number[]): number {
  const sum = values.reduce((total, value) => total + value, 0);
  return rounded(sum, maxDecimals(values));
}

/** The mean, with as many decimals as the value with the most, and at least two; null for no values. */
export function meanOf(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  return rounded(sumOf(values) / values.length, Math.max(2, maxDecimals(values)));
}

/**
 * A JSON number without the rounding noise of the program that printed it: the shortest digits of a single-precision
 * value (47.6, not 47.599998474121094), and 5.842 for 5.8420000000000005. Any other number is returned as it is.
 */
export function withoutNoise(value: number): number {
  if (Number.isInteger(value) || !Number.isFinite(value)) return value;
  if (Math.fround(value) === value) {
    for (let digits = 1; digits <= 9; digits++) {
      const short = Number(value.toPrecision(digits));
      if (Math.fround(short) === value) return short;
    }
  }
  const short = Number(value.toPrecision(15));
  return String(short).length + 3 < String(value).length ? short : value;
}

function rounded(value: number, decimals: number): number {
  return shifted(Math.round(shifted(value, decimals)), -decimals);
}

function maxDecimals(values: readonly number[]): number {
  return Math.min(9, Math.max(0, ...values.map(decimalsOf)));
}

function decimalsOf(value: number): number {
  const [digits = "", exponent = "0"] = String(value).split("e");
  return Math.max(0, (digits.split(".")[1]?.length ?? 0) - Number(exponent));
}
