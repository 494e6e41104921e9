/**
 * The one source of truth for the fields of a record: types (checked by the compiler), docs/records.md, CSV columns and
 * the kinds of values in paths all follow from these tables.
 */
import { DEVICE_LABEL_FIELDS, RECORD_FIELDS } from "./envelope-fields.js";
import { EVENT_FIELDS } from "./event-fields.js";
import type { Field, FieldMap, Shape } from "./field-table.js";
import { GPU_FIELDS } from "./gpu-fields.js";
import { HOST_FIELDS, NETWORK_FIELDS } from "./host-device-fields.js";
import { CHASSIS_FIELDS, CPU_FIELDS, MEMORY_FIELDS, STORAGE_FIELDS } from "./host-fields.js";
import { PROCESS_FIELDS } from "./process-fields.js";
import { sectionNamed, type Section } from "./sections.js";

/** The fields of a section's devices, without the labels that every device carries. */
export const SECTION_FIELDS: Readonly<Record<Section, FieldMap>> = {
  gpu: GPU_FIELDS,
  cpu: CPU_FIELDS,
  memory: MEMORY_FIELDS,
  chassis: CHASSIS_FIELDS,
  process: PROCESS_FIELDS,
  storage: STORAGE_FIELDS,
  host: HOST_FIELDS,
  network: NETWORK_FIELDS,
  event: EVENT_FIELDS,
};

/** The device columns of a section in the default CSV layout, in order. */
export function csvColumns(section: Section): readonly string[] {
  return Object.entries(SECTION_FIELDS[section]).flatMap(([name, field]) =>
    field.csv === undefined ? [] : [name],
  );
}

/**
 * What stands at a path such as `gpu.temperature`, `gpus.0.detail.serial`, `state` or `last_error.code`. The path begins
 * with a field of the record or with the name of a section. An index in a path is optional. Null for a path that no
 * record of ours has; a native record may have it nevertheless.
 */
export function fieldKind(path: string): Shape | null {
  const [first = "", ...rest] = path.split(".");
  const section = sectionNamed(first);
  return section === null ? shapeAt(null, [first, ...rest]) : shapeAt(section, rest);
}

/** The same by keys, which may hold dots. `section` null: a field of the record itself. */
export function shapeAt(section: Section | null, keys: readonly string[]): Shape | null {
  const root: Shape =
    section === null
      ? { type: "object", fields: RECORD_FIELDS }
      : { type: "array", items: { type: "object", fields: deviceFields(section) } };
  let shape: Shape | null = root;
  for (const key of keys) shape = shape === null ? null : stepInto(shape, key);
  return shape;
}

/** The names that may follow `keys`; none where any may, or nothing does. */
export function fieldsAt(section: Section | null, keys: readonly string[]): readonly string[] {
  let shape = shapeAt(section, keys);
  while (shape?.items !== undefined) shape = shape.items;
  return Object.keys(shape?.fields ?? {});
}

function deviceFields(section: Section): FieldMap {
  return { ...SECTION_FIELDS[section], ...DEVICE_LABEL_FIELDS };
}

function stepInto(shape: Shape, key: string): Shape | null {
  if (shape.items !== undefined) return /^\d+$/.test(key) ? shape.items : stepInto(shape.items, key);
  if (shape.fields !== undefined) return own(shape.fields, key);
  return shape.entries ?? null;
}

function own(fields: FieldMap, key: string): Field | null {
  return Object.hasOwn(fields, key) ? (fields[key] ?? null) : null;
}
