/** JSON text that is being written, as bytes: a line costs the string that it becomes and no other. */
import { isAscii, viewOf } from "../lib/bytes.js";

const USUAL_BYTES = 128 * 1024;
/** What one write takes at most: a number, or a run's last bytes, which are copied eight at a time. */
const SLACK = 64;
/** Whole numbers are written nine digits at a time. */
const POWERS_OF_TEN = Array.from({ length: 10 }, (_, power) => 10 ** power);
/** "null" */
const NULL = 0x6e_75_6c_6c;

// JSON.stringify escapes C0 and lone surrogates; these it leaves, and a terminal acts on them. None can stand outside
// a string, so that escaping them in a whole text changes no value.
const LEFT_BY_STRINGIFY = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** A value's JSON without a character that a terminal acts on or that is none; undefined where JSON has none. */
export function harmlessJson(value: unknown): string | undefined {
  const text = JSON.stringify(value) as string | undefined;
  return text === undefined ? undefined : wellFormed(text.replace(LEFT_BY_STRINGIFY, escape));
}

// A whole escape, so that the backslash of a text's own is not taken for the beginning of one.
const ESCAPE = /\\(?:ud[89a-f][0-9a-f]{2}|[^])/g;

/** Half a character is what JSON.stringify escapes as `\ud800`; jq 1.6 reads no line after it. */
function wellFormed(json: string): string {
  if (!json.includes("\\ud")) return json;
  return json.replace(ESCAPE, (escaped) => (escaped.length === 6 ? "\\ufffd" : escaped));
}

function escape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

export class JsonBytes {
  #bytes = Buffer.allocUnsafeSlow(USUAL_BYTES);
  #view = viewOf(this.#bytes);
  #isAscii = true;
  /** Where the next byte goes; set back, it takes back what was written since. */
  at = 0;

  /** One byte. */
  put(byte: number): void {
    this.#ensure(1);
    this.#bytes[this.at++] = byte;
  }

  /** Bytes `from` up to `to` of an ASCII text that has eight more behind them. */
  putRun(source: DataView, from: number, to: number): void {
    this.#ensure(to - from);
    const view = this.#view;
    const end = this.at + to - from;
    // Copied here: what copies buffers makes an object of each piece, and most are short. No ASCII is a NaN, the only
    // number whose bits may change on the way.
    for (let at = this.at; at < end; at += 8, from += 8)
      view.setFloat64(at, source.getFloat64(from, true), true);
    this.at = end;
  }

  /** A text in its quotes. */
  putText(text: string): void {
    this.#ensure(text.length + 2);
    const bytes = this.#bytes;
    let at = this.at;
    bytes[at++] = 0x22;
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index);
      if (code < 0x20 || code > 0x7e || code === 0x22 || code === 0x5c) {
        this.putJson(harmlessJson(text) ?? "null");
        return;
      }
      bytes[at++] = code;
    }
    bytes[at++] = 0x22;
    this.at = at;
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
    this.#view.setInt32(this.at, NULL);
    this.at += 4;
  }

  /** What is JSON already. */
  putJson(text: string): void {
    // A character may be three bytes; none is more.
    this.#ensure(text.length * 3);
    const length = this.#bytes.write(text, this.at);
    if (length !== text.length) this.#isAscii = false;
    this.at += length;
  }

  /** All that was written, which is over then; the next call of anything writes over it. */
  take(): Uint8Array {
    const taken = this.#bytes.subarray(0, this.at);
    this.at = 0;
    this.#isAscii = true;
    // What is taken keeps the large one for as long as it is needed.
    if (this.#bytes.length > USUAL_BYTES * 16) this.#grow(USUAL_BYTES);
    return taken;
  }

  takeText(): string {
    const encoding = this.#isAscii ? "latin1" : "utf8";
    const taken = this.take();
    return Buffer.from(taken.buffer, taken.byteOffset, taken.byteLength).toString(encoding);
  }

  /**
   * A number of at most three decimals. Of fifteen digits or fewer no two decimals are the same double, so that the one
   * that gives `value` is the shortest that does, which is what JSON has.
   */
  #putThousandths(value: number): boolean {
    if (!(value > 0 && value < 1e6)) return false;
    const thousandths = Math.round(value * 1000);
    if (thousandths / 1000 !== value) return false;
    const whole = Math.floor(thousandths / 1000);
    this.#putDigits(whole, 1);
    this.#bytes[this.at++] = 0x2e;
    this.#putDigits(thousandths - whole * 1000, 3);
    while (this.#bytes[this.at - 1] === 0x30) this.at -= 1;
    return true;
  }

  /** A whole number below 1e9, in at least so many digits. */
  #putDigits(value: number, atLeast: number): void {
    const bytes = this.#bytes;
    let count = atLeast;
    while (value >= (POWERS_OF_TEN[count] ?? Infinity)) count += 1;
    let left = value | 0;
    for (let at = this.at + count - 1; at >= this.at; at--) {
      const tenth = (left / 10) | 0;
      bytes[at] = 0x30 + left - tenth * 10;
      left = tenth;
    }
    this.at += count;
  }

  #ensure(length: number): void {
    if (this.at + length + SLACK > this.#bytes.length) this.#grow((this.at + length + SLACK) * 2);
  }

  #grow(size: number): void {
    const grown = Buffer.allocUnsafeSlow(size);
    this.#bytes.copy(grown, 0, 0, this.at);
    this.#bytes = grown;
    this.#view = viewOf(grown);
  }
}

/** The bytes of an ASCII text, with the eight more that a run needs; null for any other text. */
export function asciiRun(text: string): DataView | null {
  if (!isAscii(text)) return null;
  const bytes = Buffer.alloc(text.length + 8);
  bytes.write(text, "latin1");
  return viewOf(bytes);
}
