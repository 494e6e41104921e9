/** A buffer that JSON text is written into, so that a line makes no string but itself. */
import { isAscii, viewOf } from "../../lib/bytes.js";
import { safeJson } from "../../lib/safe-json.js";

const INITIAL_BYTES = 128 * 1024;
/** The most that one write may add beyond its length: a number, or the last eight bytes of a run. */
const SPARE_BYTES = 64;
/** Integers are written nine digits at a time. */
const POWERS_OF_TEN = Array.from({ length: 10 }, (_, power) => 10 ** power);
/** "null" */
const NULL = 0x6e_75_6c_6c;

export class JsonBytes {
  #bytes = Buffer.allocUnsafeSlow(INITIAL_BYTES);
  #view = viewOf(this.#bytes);
  #isAscii = true;
  /** Where the next byte is written. Setting it back drops what was written since. */
  offset = 0;

  /** One byte. */
  put(byte: number): void {
    this.#ensure(1);
    this.#bytes[this.offset++] = byte;
  }

  /** Bytes `from` up to `to` of an ASCII text that has eight more bytes behind them (see `asciiRun`). */
  putRun(source: DataView, from: number, to: number): void {
    this.#ensure(to - from);
    const view = this.#view;
    const end = this.offset + to - from;
    // Copied by hand: Buffer.copy makes an object of each piece, and most pieces are short. No ASCII bytes are a NaN, the
    // only number whose bits may change on the way.
    for (let offset = this.offset; offset < end; offset += 8, from += 8)
      view.setFloat64(offset, source.getFloat64(from, true), true);
    this.offset = end;
  }

  /** A text in its quotes. */
  putText(text: string): void {
    this.#ensure(text.length + 2);
    const bytes = this.#bytes;
    let offset = this.offset;
    bytes[offset++] = 0x22;
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index);
      if (code < 0x20 || code > 0x7e || code === 0x22 || code === 0x5c) {
        this.putJson(safeJson(text) ?? "null");
        return;
      }
      bytes[offset++] = code;
    }
    bytes[offset++] = 0x22;
    this.offset = offset;
  }

  putNumber(value: number): void {
    this.#ensure(0);
    if (value >= 0 && value < 1e9 && (value | 0) === value) this.#putDigits(value, 1);
    else if (value >= 1e9 && value < 1e15 && Number.isInteger(value)) {
      const high = Math.floor(value / 1e9);
      this.#putDigits(high, 1);
      this.#putDigits(value - high * 1e9, 9);
    } else if (!this.#putThousandths(value)) this.putJson(Number.isFinite(value) ? String(value) : "null");
  }

  putNull(): void {
    this.#ensure(4);
    this.#view.setInt32(this.offset, NULL);
    this.offset += 4;
  }

  /** Text that is JSON already. */
  putJson(text: string): void {
    // A UTF-16 unit takes three bytes of UTF-8 at most.
    this.#ensure(text.length * 3);
    const length = this.#bytes.write(text, this.offset);
    if (length !== text.length) this.#isAscii = false;
    this.offset += length;
  }

  /** All that was written, and an empty buffer after it. The next write overwrites what was returned. */
  take(): Uint8Array {
    const taken = this.#bytes.subarray(0, this.offset);
    this.offset = 0;
    this.#isAscii = true;
    // A very large buffer is not kept; the returned view keeps it for as long as it is needed.
    if (this.#bytes.length > INITIAL_BYTES * 16) this.#grow(INITIAL_BYTES);
    return taken;
  }

  takeText(): string {
    const encoding = this.#isAscii ? "latin1" : "utf8";
    const taken = this.take();
    return Buffer.from(taken.buffer, taken.byteOffset, taken.byteLength).toString(encoding);
  }

  /**
   * A number of at most three decimals; false for any other. No two decimals of fifteen digits or fewer are the same
   * double, so the one that equals `value` is the shortest that does, which is what JSON.stringify writes.
   */
  #putThousandths(value: number): boolean {
    if (!(value > 0 && value < 1e6)) return false;
    const thousandths = Math.round(value * 1000);
    if (thousandths / 1000 !== value) return false;
    const whole = Math.floor(thousandths / 1000);
    this.#putDigits(whole, 1);
    this.#bytes[this.offset++] = 0x2e;
    this.#putDigits(thousandths - whole * 1000, 3);
    while (this.#bytes[this.offset - 1] === 0x30) this.offset -= 1;
    return true;
  }

  /** An integer from 0 to below 1e9, with leading zeros up to `minDigits`. */
  #putDigits(value: number, minDigits: number): void {
    const bytes = this.#bytes;
    let count = minDigits;
    while (value >= (POWERS_OF_TEN[count] ?? Infinity)) count += 1;
    let left = value | 0;
    for (let offset = this.offset + count - 1; offset >= this.offset; offset--) {
      const tenth = (left / 10) | 0;
      bytes[offset] = 0x30 + left - tenth * 10;
      left = tenth;
    }
    this.offset += count;
  }

  #ensure(length: number): void {
    if (this.offset + length + SPARE_BYTES > this.#bytes.length)
      this.#grow((this.offset + length + SPARE_BYTES) * 2);
  }

  #grow(size: number): void {
    const grown = Buffer.allocUnsafeSlow(size);
    this.#bytes.copy(grown, 0, 0, this.offset);
    this.#bytes = grown;
    this.#view = viewOf(grown);
  }
}

/** The bytes of an ASCII text, with the eight more that `putRun` needs; null for any other text. */
export function asciiRun(text: string): DataView | null {
  if (!isAscii(text)) return null;
  const bytes = Buffer.alloc(text.length + 8);
  bytes.write(text, "latin1");
  return viewOf(bytes);
}
