/**
 * The fields of a row: one device with the envelope of its record, in one flat object. The envelope's names win. A device's
 * field of such a name gets its section in front: a process's `state` is `process_state`.
 */
import { DEVICE_LABEL_FIELDS, ENVELOPE_FIELDS, FRAME_FIELDS, STATE_FIELDS } from "./envelope-fields.js";
import { SECTION_FIELDS } from "./fields.js";
import type { FieldMap } from "./field-table.js";
import { SECTIONS, type Section } from "./sections.js";

/** What a row has beside the fields of its record and its device. */
const ROW_OWN_FIELDS: FieldMap = {
  section: {
    ...{ type: "string", nullable: true, text: "The device's section, as `gpu`; null where there is none." },
    values: Object.fromEntries(SECTIONS.map((section) => [section, `a device of ${section}`])),
  },
  index: {
    ...{ type: "integer", nullable: true },
    text: "The device's `index`, else its place in the section; null where there is no device.",
  },
  error: {
    ...{ type: "string", nullable: true },
    text: "Why the device, its section or its host has no reading; null where nothing is wrong.",
  },
};

const { latency_ms } = FRAME_FIELDS;

/** The fields of a row that is about a state of the host. */
export const STATE_ROW_FIELDS: FieldMap = { ...ENVELOPE_FIELDS, ...ROW_OWN_FIELDS, ...STATE_FIELDS };

/** The fields of a frame's row before those of its device. */
export const FRAME_ROW_FIELDS: FieldMap = {
  ...ENVELOPE_FIELDS,
  latency_ms,
  ...ROW_OWN_FIELDS,
  record: {
    ...{ type: "string", values: { device: "a device of a host that answered, or an error without one" } },
    text: "Kind of row.",
  },
};

const ROW_NAMES: ReadonlySet<string> = new Set(
  [STATE_ROW_FIELDS, FRAME_ROW_FIELDS].flatMap((fields) => Object.keys(fields)),
);
/** A device's fields that its row has anyway, from the record or under the same name. */
const REPEATED: ReadonlySet<string> = new Set([...Object.keys(DEVICE_LABEL_FIELDS), "index", "error"]);

/** What a device's field is called in a row; null where the row has it already. */
export function rowName(section: Section, field: string): string | null {
  if (REPEATED.has(field)) return null;
  return ROW_NAMES.has(field) ? `${section}_${field}` : field;
}

/** The fields that the rows of a section have of their device. */
export function deviceRowFields(section: Section): FieldMap {
  return Object.fromEntries(
    Object.entries(SECTION_FIELDS[section]).flatMap(([name, field]) => {
      const inRow = rowName(section, name);
      return inRow === null ? [] : [[inRow, field] as const];
    }),
  );
}
