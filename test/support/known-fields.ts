/** What a record's field tables do not allow in a value. */
import assert from "node:assert/strict";
import { SECTION_FIELDS } from "../../src/contract/fields.js";
import type { FieldMap, JsonType, Shape } from "../../src/contract/field-table.js";
import { KEY_OF_SECTION, SECTIONS, type Sections } from "../../src/contract/record.js";

/** One line a problem: fields without a row, required ones that are missing, values of another type. Sorted. */
export function unknownFields(value: object, fields: FieldMap): readonly string[] {
  const entries = Object.entries(value).filter(([, held]) => held !== undefined);
  const problems = entries.flatMap(([key, held]) => {
    const field = Object.hasOwn(fields, key) ? fields[key] : undefined;
    return field === undefined ? [`${key}: no such field`] : problemsOf(key, held, field);
  });
  const missing = Object.entries(fields).flatMap(([key, field]) =>
    field.optional === true || entries.some(([name]) => name === key) ? [] : [`${key}: missing`],
  );
  return [...problems, ...missing].sort();
}

/** Fails where a device of a reading has a field, or a value, that its table does not have. */
export function assertKnownFields(sections: Sections): void {
  for (const section of SECTIONS)
    for (const device of sections[KEY_OF_SECTION[section]] ?? [])
      assert.deepEqual(unknownFields(device, SECTION_FIELDS[section]), [], section);
}

function problemsOf(path: string, value: unknown, shape: Shape): readonly string[] {
  const { type, values, items, fields, entries } = shape;
  if (value === null) return shape.nullable === true ? [] : [`${path}: null`];
  const types: readonly JsonType[] = typeof type === "string" ? [type] : type;
  if (!types.some((name) => isOfType(value, name)))
    return [`${path}: ${JSON.stringify(value)} is no ${types.join(" or ")}`];
  if (
    values !== undefined &&
    !Object.hasOwn(values, typeof value === "string" ? value : JSON.stringify(value))
  )
    return [`${path}: ${JSON.stringify(value)}`];
  if (items !== undefined && Array.isArray(value))
    return value.flatMap((item, index) => problemsOf(`${path}.${index}`, item, items));
  if (typeof value !== "object") return [];
  if (fields !== undefined) return unknownFields(value, fields).map((problem) => `${path}.${problem}`);
  if (entries === undefined) return [];
  return Object.entries(value).flatMap(([key, held]) => problemsOf(`${path}.${key}`, held, entries));
}

function isOfType(value: unknown, type: JsonType): boolean {
  if (type === "array") return Array.isArray(value);
  if (type === "object") return typeof value === "object" && !Array.isArray(value);
  return type === "integer" ? Number.isInteger(value) : typeof value === type;
}
