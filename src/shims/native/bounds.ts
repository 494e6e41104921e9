/**
 * Limits for the parts of an all-smi snapshot that go into a record unchanged: nesting, number of values and characters,
 * so that every consumer can read them. Keys are data and may have any name.
 */
import { MAX_LEVELS } from "../../contract/record.js";
import { cleanText, oneLine } from "../../lib/text.js";
import { isObject } from "../kit/json-text.js";

/** A device is in its section's list, and the list is in the record. */
const MAX_DEVICE_LEVELS = MAX_LEVELS - 2;
// Far more than any device has: the CPU section of a thousand cores has a few thousand values.
const MAX_VALUES = 65_536;
const MAX_FIELDS = 4096;

export interface Bounded {
  readonly entry: unknown;
  /** A message about what was left out; null where nothing was. */
  readonly problem: string | null;
}

/**
 * One entry of a section. A field that is nested too deep or holds too much becomes null, the others stay. `clean`: its
 * texts must be cleaned.
 */
export function boundEntry(entry: unknown, clean: boolean): Bounded {
  const look = new Inspection();
  if (look.takes(entry, MAX_DEVICE_LEVELS))
    return { entry: clean || look.hasInfinity ? cleaned(entry) : entry, problem: null };
  if (!isObject(entry)) return { entry: null, problem: "it is nested too deep or holds too much" };
  const all = Object.entries(entry);
  let problem = all.length > MAX_FIELDS ? `${all.length} fields; the first ${MAX_FIELDS} are read` : null;
  const fields = all.slice(0, MAX_FIELDS).map(([key, value]): [string, unknown] => {
    if (look.takes(value, MAX_DEVICE_LEVELS - 1)) return [key, value];
    problem ??= `"${oneLine(key, 40)}" is nested too deep or holds too much`;
    return [key, null];
  });
  return { entry: cleaned(Object.fromEntries(fields)), problem };
}

/** Checks values against the limits: visits at most MAX_VALUES of them, and never deeper than asked. */
class Inspection {
  /** There was a number beyond the range of a double (1e999). */
  hasInfinity = false;
  #left = MAX_VALUES;

  /** Whether the value is nested no deeper than `levels` and fits into what is left of MAX_VALUES. If so, it is counted. */
  takes(value: unknown, levels: number): boolean {
    const before = this.#left;
    if (this.#fits(value, levels)) return true;
    this.#left = before;
    return false;
  }

  #fits(value: unknown, levels: number): boolean {
    if (--this.#left < 0) return false;
    if (typeof value === "number") {
      if (!Number.isFinite(value)) this.hasInfinity = true;
      return true;
    }
    if (typeof value !== "object" || value === null) return true;
    if (levels === 0) return false;
    if (Array.isArray(value)) {
      for (const item of value) if (!this.#fits(item, levels - 1)) return false;
      return true;
    }
    for (const key in value)
      if (!this.#fits((value as Readonly<Record<string, unknown>>)[key], levels - 1)) return false;
    return true;
  }
}

/** With clean texts and keys, and null for Infinity. Only for values of a limited depth: it is recursive. */
function cleaned(value: unknown): unknown {
  if (typeof value === "string") return cleanText(value);
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (Array.isArray(value)) return value.map(cleaned);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [cleanText(key), cleaned(item)]));
}
