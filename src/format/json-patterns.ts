/**
 * Writes objects as JSON.stringify does, beside others of the same keys. The devices of a fleet have the same keys in the
 * same order and many of the same values, so that all between two values that differ is copied as one run. What is known of
 * a pattern is of one device, whichever was first, and nothing is kept of a host.
 */
import { asciiRun, harmlessJson, type JsonBytes } from "./json-bytes.js";

const COMMA = 0x2c;

/** One way in which objects have their keys. */
interface Pattern {
  readonly keys: readonly string[];
  /** The values that its text has; `NESTED` where an object or a list stands, which is equal to no value. */
  readonly values: readonly unknown[];
  /** Where each value begins and ends in the text. */
  readonly begins: readonly number[];
  readonly ends: readonly number[];
  readonly text: DataView;
  readonly length: number;
  /** The patterns of what stands in each place. */
  readonly nested: readonly PatternsInPlace[];
}

/** The patterns that objects in one place have, the last used first. */
type PatternsInPlace = Pattern[];

const NESTED = Symbol("nested");
/** Bounds for what hosts may think of: objects beyond are written key by key. */
const MAX_IN_PLACE = 8;
const MAX_PATTERNS = 256;
const MAX_KEYS = 96;
const MAX_TEXT = 4096;
const DEEPEST = 12;

export class JsonPatterns {
  readonly #bytes: JsonBytes;
  readonly #roots: PatternsInPlace = [];
  #count = 0;

  constructor(bytes: JsonBytes) {
    this.#bytes = bytes;
  }

  /** False, with half a text written, for what is no plain JSON (a hole, a class, a function) or is nested too deep. */
  write(value: unknown): boolean {
    return this.#write(value, this.#roots, 0);
  }

  #write(value: unknown, place: PatternsInPlace, depth: number): boolean {
    const bytes = this.#bytes;
    if (typeof value === "number") bytes.putNumber(value);
    else if (typeof value === "string") bytes.putText(value);
    else if (value === null) bytes.putNull();
    else if (value === true) bytes.putJson("true");
    else if (value === false) bytes.putJson("false");
    else if (typeof value !== "object" || depth > DEEPEST) return false;
    else if (Array.isArray(value)) return this.#writeList(value, place, depth + 1);
    else if (Object.getPrototypeOf(value) !== Object.prototype) return false;
    else return this.#writeObject(value as Readonly<Record<string, unknown>>, place, depth + 1);
    return true;
  }

  #writeList(list: readonly unknown[], place: PatternsInPlace, depth: number): boolean {
    this.#bytes.put(0x5b);
    for (let index = 0; index < list.length; index++) {
      if (index > 0) this.#bytes.put(COMMA);
      if (!this.#write(list[index], place, depth)) return false;
    }
    this.#bytes.put(0x5d);
    return true;
  }

  #writeObject(object: Readonly<Record<string, unknown>>, place: PatternsInPlace, depth: number): boolean {
    const pattern = this.#patternOf(object, place);
    if (pattern === null) return this.#writeByKey(object, depth);
    const { values, begins, ends, text, nested } = pattern;
    let from = 0;
    let index = 0;
    for (const key in object) {
      const value = object[key];
      if (value !== values[index]) {
        this.#bytes.putRun(text, from, begins[index] ?? 0);
        if (!this.#write(value, nested[index] ?? [], depth)) return false;
        from = ends[index] ?? 0;
      }
      index += 1;
    }
    this.#bytes.putRun(text, from, pattern.length);
    return true;
  }

  #writeByKey(object: Readonly<Record<string, unknown>>, depth: number): boolean {
    let separator = 0x7b;
    for (const key in object) {
      this.#bytes.put(separator);
      this.#bytes.putText(key);
      this.#bytes.put(0x3a);
      if (!this.#write(object[key], [], depth)) return false;
      separator = COMMA;
    }
    if (separator !== COMMA) this.#bytes.put(separator);
    this.#bytes.put(0x7d);
    return true;
  }

  #patternOf(object: Readonly<Record<string, unknown>>, place: PatternsInPlace): Pattern | null {
    for (let index = 0; index < place.length; index++) {
      const pattern = place[index];
      if (pattern === undefined || !fits(object, pattern.keys)) continue;
      if (index > 0) {
        place.splice(index, 1);
        place.unshift(pattern);
      }
      return pattern;
    }
    if (place.length >= MAX_IN_PLACE || this.#count >= MAX_PATTERNS) return null;
    const pattern = patternFrom(object);
    if (pattern === null) return null;
    this.#count += 1;
    place.unshift(pattern);
    return pattern;
  }
}

function fits(object: Readonly<Record<string, unknown>>, keys: readonly string[]): boolean {
  let index = 0;
  for (const key in object) if (key !== keys[index++]) return false;
  return index === keys.length;
}

/** Null for an object that is too large to be one of many, or has unusual keys or values. */
function patternFrom(object: Readonly<Record<string, unknown>>): Pattern | null {
  const keys = Object.keys(object);
  if (keys.length === 0 || keys.length > MAX_KEYS) return null;
  const [values, begins, ends]: [unknown[], number[], number[]] = [[], [], []];
  let text = "";
  for (const key of keys) {
    const value = object[key];
    const isNested = typeof value === "object" && value !== null;
    const own = isNested ? "" : harmlessJson(value);
    if (own === undefined) return null;
    text += `${text === "" ? "{" : ","}${harmlessJson(key) ?? ""}:`;
    begins.push(text.length);
    text += own;
    ends.push(text.length);
    values.push(isNested ? NESTED : value);
  }
  text += "}";
  const run = text.length > MAX_TEXT ? null : asciiRun(text);
  if (run === null) return null;
  return { keys, values, begins, ends, text: run, length: text.length, nested: keys.map(() => []) };
}
