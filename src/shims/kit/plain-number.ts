/** Reads a plain decimal out of bytes, without making a text of it first: what a tick does thousands of times. */

const ZERO = 0x30;
const NINE = 0x39;
const POINT = 0x2e;
/** As many digits as a double holds exactly. */
const MAX_DIGITS = 15;
/** All exact, so that one division rounds as reading the text would. */
const POWERS = Array.from({ length: MAX_DIGITS + 1 }, (_, power) => Number(`1e${power}`));

/** Digits, at most nine, and perhaps a point and at most nine more. The result of the last `read` that was true. */
export class PlainNumber {
  value = 0;
  /** Where the number ended. */
  end = 0;

  /** False when there is no such number at `from`. */
  read(bytes: Uint8Array, from: number): boolean {
    let mantissa = 0;
    let at = from;
    let byte = bytes[at] ?? 0;
    while (byte >= ZERO && byte <= NINE) {
      mantissa = mantissa * 10 + (byte - ZERO);
      byte = bytes[++at] ?? 0;
    }
    const wholeDigits = at - from;
    if (wholeDigits === 0 || wholeDigits > 9) return false;
    let decimals = 0;
    if (byte === POINT) {
      byte = bytes[++at] ?? 0;
      while (byte >= ZERO && byte <= NINE) {
        mantissa = mantissa * 10 + (byte - ZERO);
        decimals += 1;
        byte = bytes[++at] ?? 0;
      }
      if (decimals === 0 || decimals > 9 || wholeDigits + decimals > MAX_DIGITS) return false;
    }
    this.value = decimals === 0 ? mantissa : mantissa / (POWERS[decimals] ?? 1);
    this.end = at;
    return true;
  }
}
