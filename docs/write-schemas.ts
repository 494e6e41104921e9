/**
 * Writes schema/*.json, the JSON Schemas (2020-12) of every line of NDJSON, from the tables in src/contract. UPDATE_GOLDEN=1
 * writes the files; a test compares them with what would be written.
 */
import { format } from "prettier";
import {
  DEVICE_LABEL_FIELDS,
  ENVELOPE_FIELDS,
  FRAME_FIELDS,
  STATE_FIELDS,
} from "../src/contract/envelope-fields.js";
import type { Field, FieldMap, Shape } from "../src/contract/field-table.js";
import { SECTION_FIELDS } from "../src/contract/fields.js";
import { KEY_OF_SECTION, SECTIONS, type Section } from "../src/contract/record.js";
import { deviceRowFields, FRAME_ROW_FIELDS, STATE_ROW_FIELDS } from "../src/contract/row-fields.js";

export const SCHEMA_NAMES = ["record", "compact-record", "row", "compact-row"] as const;
export type SchemaName = (typeof SCHEMA_NAMES)[number];

type Json = Readonly<Record<string, unknown>>;
/** Whether nulls are left out. */
interface Compact {
  readonly isCompact: boolean;
  /** Whether any field may stand in the record's `defaults` instead. */
  readonly isPartial?: true;
}

const VERSION = 1;
const TITLES: Readonly<Record<SchemaName, string>> = {
  record: "A line of allsmi-ssh: what one host answered in a tick, or why it did not",
  "compact-record": "A line of allsmi-ssh --compact: a device's field that is left out is null",
  row: "A line of allsmi-ssh --rows device: one device, or a state of a host",
  "compact-row": "A line of allsmi-ssh --rows device --compact: a field that is left out is null",
};

/** The text of schema/<name>.json. */
export function writeSchema(name: SchemaName): Promise<string> {
  return format(JSON.stringify(schemaOf(name)), { parser: "json", printWidth: 110 });
}

/** The schema that every line of this kind matches. Objects may have more fields: a native host's, or a newer release's. */
function schemaOf(name: SchemaName): Json {
  const mode: Compact =
    name === "compact-record" ? { isCompact: true, isPartial: true } : { isCompact: name === "compact-row" };
  const isRow = name === "row" || name === "compact-row";
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    $id: `urn:allsmi-ssh:${VERSION}:${name}`,
    title: TITLES[name],
    ...(isRow ? rowSchema(mode) : recordSchema(mode)),
  };
}

function recordSchema(mode: Compact): Json {
  // The envelope and states are whole with --compact too.
  const whole = { isCompact: false };
  const frame = membersOf({ ...ENVELOPE_FIELDS, ...FRAME_FIELDS }, whole);
  const sections = Object.fromEntries(
    SECTIONS.map((section): [string, Json] => [
      KEY_OF_SECTION[section],
      { type: "array", items: { $ref: `#/$defs/${section}` } },
    ]),
  );
  const isFrame = {
    properties: { record: { const: "frame" }, state: { const: "connected" }, tick: { type: "integer" } },
  };
  const isState = { properties: { record: { const: "state" } } };
  return {
    ...stateOr("frame"),
    $defs: {
      frame: {
        allOf: [isFrame],
        type: "object",
        ...frame,
        properties: { ...frame.properties, ...sections, ...(mode.isCompact ? defaultsSchema() : {}) },
      },
      state: { allOf: [isState], ...objectOf({ ...ENVELOPE_FIELDS, ...STATE_FIELDS }, whole) },
      ...Object.fromEntries(SECTIONS.map((section) => [section, deviceSchema(section, mode)])),
    },
  };
}

function defaultsSchema(): Json {
  const properties = Object.fromEntries(
    SECTIONS.map((section): [string, Json] => [KEY_OF_SECTION[section], { $ref: `#/$defs/${section}` }]),
  );
  const description = "By section, what all of its devices have in common; an object of both is merged.";
  return { defaults: { description, type: "object", properties } };
}

/** By `record`, so that a problem is about the one that the line is. */
function stateOr(other: string): Json {
  const isState = { type: "object", properties: { record: { const: "state" } }, required: ["record"] };
  return { if: isState, then: { $ref: "#/$defs/state" }, else: { $ref: `#/$defs/${other}` } };
}

function deviceSchema(section: Section, mode: Compact): Json {
  const labels: FieldMap = mode.isCompact ? {} : DEVICE_LABEL_FIELDS;
  return objectOf({ ...labels, ...SECTION_FIELDS[section] }, mode);
}

function rowSchema(mode: Compact): Json {
  const isOf = (section: Section): Json => ({
    properties: { section: { const: section }, index: { type: "integer" } },
    required: ["section", "index"],
  });
  return {
    ...stateOr("device"),
    $defs: {
      device: {
        allOf: SECTIONS.map((section) => ({ if: isOf(section), then: { $ref: `#/$defs/${section}` } })),
        ...objectOf(FRAME_ROW_FIELDS, mode),
      },
      state: {
        allOf: [{ properties: { record: { const: "state" } } }],
        ...objectOf(STATE_ROW_FIELDS, mode),
      },
      ...Object.fromEntries(SECTIONS.map((section) => [section, objectOf(deviceRowFields(section), mode)])),
    },
  };
}

function objectOf(fields: FieldMap, mode: Compact): Json {
  return { type: "object", ...membersOf(fields, mode) };
}

function membersOf(fields: FieldMap, mode: Compact): { readonly properties: Json } & Json {
  const isThere = ({ optional, nullable }: Field): boolean =>
    optional !== true && mode.isPartial !== true && !(mode.isCompact && nullable === true);
  const required = Object.entries(fields).flatMap(([name, field]) => (isThere(field) ? [name] : []));
  const properties = Object.fromEntries(
    Object.entries(fields).map(([name, field]): [string, Json] => [name, fieldSchema(field, mode)]),
  );
  return { properties, ...(required.length === 0 ? {} : { required }) };
}

function fieldSchema(field: Field, mode: Compact): Json {
  const unit = field.unit === undefined ? "" : ` In ${field.unit}.`;
  return { description: `${field.text}${unit}`, ...shapeSchema(field, mode), ...formatOf(field) };
}

function formatOf({ format: name }: Field): Json {
  return name === undefined ? {} : { format: name };
}

function shapeSchema({ type, nullable, values, items, fields, entries }: Shape, mode: Compact): Json {
  const names = [...(typeof type === "string" ? [type] : type), ...(nullable === true ? ["null"] : [])];
  const choices = Object.keys(values ?? {}).map((value) => (type === "integer" ? Number(value) : value));
  return {
    type: names.length === 1 ? names[0] : names,
    ...(values === undefined ? {} : { enum: [...choices, ...(nullable === true ? [null] : [])] }),
    // A list keeps its nulls: they stand for places.
    ...(items === undefined ? {} : { items: shapeSchema(items, { isCompact: mode.isCompact }) }),
    ...(entries === undefined ? {} : { additionalProperties: shapeSchema(entries, mode) }),
    ...(fields === undefined ? {} : membersOf(fields, mode)),
  };
}
