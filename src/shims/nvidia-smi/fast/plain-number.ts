/** Reads a plain decimal number from bytes without making a text of it first: a tick does this thousands of times. */

const ZERO = 0x30;
const NINE = 0x39;
const POINT = 0x2e;
/** A double holds this many digits exactly. */
const MAX_DIGITS = 15;
/** Of these, before a point. */
const MAX_WHOLE = 9;
/** All are exact, so one division rounds as Number(text) does. */
const POWERS = Array.from({ length: MAX_DIGITS + 1 }, (_, power) => Number(`1e${power}`));

/**
 * One to fifteen digits, or one to nine, a point and one to six more: a time in microseconds, a power in hundredths of a
 * watt. Holds the result of the last successful `read`.
 */
export class PlainNumber {
  value = 0;
  /** Offset after the number. */
  end = 0;

  /** False when there is no such number at offset `from`. */
  read(bytes: Uint8Array, from: number): boolean {
    let mantissa = 0;
    let at = from;
    let byte = bytes[at] ?? 0;
    while (byte >= ZERO && byte <= NINE) {
      mantissa = mantissa * 10 + (byte - ZERO);
      byte = bytes[++at] ?? 0;
    }
    const wholeDigits = at - from;
    if (wholeDigits === 0 || wholeDigits > MAX_DIGITS) return false;
    let decimals = 0;
    if (byte === POINT) {
      byte = bytes[++at] ?? 0;
      while (byte >= ZERO && byte <= NINE) {
        mantissa = mantissa * 10 + (byte - ZERO);
        decimals += 1;
        byte = bytes[++at] ?? 0;
      }
      if (wholeDigits > MAX_WHOLE || decimals === 0 || decimals > MAX_DIGITS - MAX_WHOLE) return false;
    }
    this.value = decimals === 0 ? mantissa : mantissa / (POWERS[decimals] ?? 1);
    this.end = at;
    return true;
  }
}
