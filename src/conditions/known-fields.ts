/** The fields that a condition may name: those of the record tables. */
import { closestName } from "../lib/closest-name.js";
import { fieldsAt, shapeAt } from "../contract/fields.js";
import { KEY_OF_SECTION, SECTIONS, type Section } from "../contract/sections.js";
import type { FieldNames } from "./literal.js";

export const KNOWN_FIELDS: FieldNames = {
  problemOf(section, keys) {
    if (section !== null && keys.length === 0)
      return `${section} is a section; name a field of it, as ${section}.${fieldsAt(section, [])[1] ?? "index"}`;
    for (const [at, key] of keys.entries()) {
      if (shapeAt(section, keys.slice(0, at + 1)) === null) return problemAt(section, keys.slice(0, at), key);
    }
    return null;
  },
  valuesOf(section, keys) {
    let shape = shapeAt(section, keys);
    while (shape?.items !== undefined) shape = shape.items;
    const { type, values } = shape ?? {};
    if (type === "boolean") return { kind: "fixed", values: ["true", "false"] };
    // A newer all-smi on a host may have more values in its devices.
    if (values !== undefined && section === null) return { kind: "fixed", values: Object.keys(values) };
    if (type === "number" || type === "integer") return { kind: "number" };
    return { kind: type === "string" ? "text" : "any" };
  },
};

function problemAt(section: Section | null, before: readonly string[], key: string): string {
  const names = fieldsAt(section, before);
  const whole = [section ?? "", ...before].filter((part) => part !== "").join(".");
  if (names.length === 0) return `${whole} has no fields`;
  // The first part of a path may be a section as well.
  const candidates = whole === "" ? [...names, ...SECTIONS, ...Object.values(KEY_OF_SECTION)] : names;
  const closest = closestName(key, candidates);
  const path = [whole, closest].filter((part) => part !== "").join(".");
  const hint = closest === undefined ? `there are ${names.join(", ")}` : `did you mean ${path}?`;
  return `${whole === "" ? "a record" : whole} has no field "${key}"; ${hint}`;
}
