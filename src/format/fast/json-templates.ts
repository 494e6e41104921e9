/**
 * Writes objects as JSON.stringify does, from templates: the text of the first object with the same keys. The devices of a
 * fleet have the same keys in the same order and many equal values, so the text between two values that differ is copied
 * as one run. A template holds one device, whichever came first; nothing is kept for each host.
 */
import { safeJson } from "../../lib/safe-json.js";
import { asciiRun, type JsonBytes } from "./json-bytes.js";

const COMMA = 0x2c;

/** The text of an object with these keys in this order. */
interface Template {
  readonly keys: readonly string[];
  /** The values in the text; `NESTED` for an object or an array, which is equal to no value. */
  readonly values: readonly unknown[];
  /** Where each value starts and ends in the text. */
  readonly starts: readonly number[];
  readonly ends: readonly number[];
  readonly text: DataView;
  readonly length: number;
  /** By key: the templates of the objects under it. */
  readonly nested: readonly Templates[];
}

/** The templates of objects at one path, the last used first. */
type Templates = Template[];

const NESTED = Symbol("nested");
// Limits, since hosts may send any keys: objects beyond them are written key by key.
const MAX_TEMPLATES_PER_PATH = 8;
const MAX_TEMPLATES = 256;
const MAX_KEYS = 96;
const MAX_TEXT_CHARS = 4096;
const MAX_DEPTH = 12;

export class JsonTemplates {
  readonly #bytes: JsonBytes;
  readonly #roots: Templates = [];
  #count = 0;

  constructor(bytes: JsonBytes) {
    this.#bytes = bytes;
  }

  /** False, with part of a text written, for what is not plain JSON (a hole, a class, a function) or is nested too deep. */
  write(value: unknown): boolean {
    return this.#write(value, this.#roots, 0);
  }

  #write(value: unknown, templates: Templates, depth: number): boolean {
    const bytes = this.#bytes;
    if (typeof value === "number") bytes.putNumber(value);
    else if (typeof value === "string") bytes.putText(value);
    else if (value === null) bytes.putNull();
    else if (value === true) bytes.putJson("true");
    else if (value === false) bytes.putJson("false");
    else if (typeof value !== "object" || depth > MAX_DEPTH) return false;
    else if (Array.isArray(value)) return this.#writeArray(value, templates, depth + 1);
    else if (Object.getPrototypeOf(value) !== Object.prototype) return false;
    else return this.#writeObject(value as Readonly<Record<string, unknown>>, templates, depth + 1);
    return true;
  }

  #writeArray(array: readonly unknown[], templates: Templates, depth: number): boolean {
    this.#bytes.put(0x5b);
    for (let index = 0; index < array.length; index++) {
      if (index > 0) this.#bytes.put(COMMA);
      if (!this.#write(array[index], templates, depth)) return false;
    }
    this.#bytes.put(0x5d);
    return true;
  }

  #writeObject(object: Readonly<Record<string, unknown>>, templates: Templates, depth: number): boolean {
    const template = this.#templateOf(object, templates);
    if (template === null) return this.#writeByKey(object, depth);
    const { values, starts, ends, text, nested } = template;
    let from = 0;
    let index = 0;
    for (const key in object) {
      const value = object[key];
      if (value !== values[index]) {
        this.#bytes.putRun(text, from, starts[index] ?? 0);
        if (!this.#write(value, nested[index] ?? [], depth)) return false;
        from = ends[index] ?? 0;
      }
      index += 1;
    }
    this.#bytes.putRun(text, from, template.length);
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

  #templateOf(object: Readonly<Record<string, unknown>>, templates: Templates): Template | null {
    for (let index = 0; index < templates.length; index++) {
      const template = templates[index];
      if (template === undefined || !hasKeys(object, template.keys)) continue;
      if (index > 0) {
        templates.splice(index, 1);
        templates.unshift(template);
      }
      return template;
    }
    if (templates.length >= MAX_TEMPLATES_PER_PATH || this.#count >= MAX_TEMPLATES) return null;
    const template = templateFrom(object);
    if (template === null) return null;
    this.#count += 1;
    templates.unshift(template);
    return template;
  }
}

function hasKeys(object: Readonly<Record<string, unknown>>, keys: readonly string[]): boolean {
  let index = 0;
  for (const key in object) if (key !== keys[index++]) return false;
  return index === keys.length;
}

/** Null for an object that is beyond the limits, or has keys or values that are not plain ASCII JSON. */
function templateFrom(object: Readonly<Record<string, unknown>>): Template | null {
  const keys = Object.keys(object);
  if (keys.length === 0 || keys.length > MAX_KEYS) return null;
  const [values, starts, ends]: [unknown[], number[], number[]] = [[], [], []];
  let text = "";
  for (const key of keys) {
    const value = object[key];
    const isNested = typeof value === "object" && value !== null;
    const own = isNested ? "" : safeJson(value);
    if (own === undefined) return null;
    text += `${text === "" ? "{" : ","}${safeJson(key) ?? ""}:`;
    starts.push(text.length);
    text += own;
    ends.push(text.length);
    values.push(isNested ? NESTED : value);
  }
  text += "}";
  const run = text.length > MAX_TEXT_CHARS ? null : asciiRun(text);
  if (run === null) return null;
  return { keys, values, starts, ends, text: run, length: text.length, nested: keys.map(() => []) };
}
