/** The way back from `--compact`: a record with every device whole again. */
import { DEFAULTS_KEY, type DEVICE_LABEL_FIELDS } from "./envelope-fields.js";
import type { FieldMap } from "./field-table.js";
import { SECTION_FIELDS } from "./fields.js";
import { KEY_OF_SECTION, SECTIONS, type FrameRecord, type StreamRecord } from "./record.js";
import { setOwn } from "../lib/host-json.js";

type Fields = Readonly<Record<string, unknown>>;

/**
 * A record of `--compact`, parsed, as it is without: each device with the defaults of its section, its labels, and null in
 * every field that all devices have. An optional field that was null is absent. Any other record is returned as it is.
 */
export function expandCompact(record: StreamRecord): StreamRecord {
  if (record.record !== "frame" || !isCompact(record)) return record;
  const { [DEFAULTS_KEY]: defaults, ...frame } = record as typeof record & Fields;
  const labels = {
    host_id: record.host_id,
    hostname: record.hostname,
    instance: record.hostname,
    time: record.timestamp,
  } satisfies Record<keyof typeof DEVICE_LABEL_FIELDS, string>;
  const sections = SECTIONS.flatMap((section) => {
    const key = KEY_OF_SECTION[section];
    const devices: readonly object[] | undefined = record[key];
    if (devices === undefined) return [];
    const common: unknown = isFields(defaults) ? defaults[key] : undefined;
    const whole = devices.map((device) =>
      withNulls(
        { ...labels, ...merged(isFields(common) ? common : {}, device as Fields) },
        SECTION_FIELDS[section],
      ),
    );
    return [[key, whole] as const];
  });
  return { ...frame, ...Object.fromEntries(sections) };
}

/** A device of a record that is not compact carries its host. */
function isCompact(frame: FrameRecord): boolean {
  if (Object.hasOwn(frame, DEFAULTS_KEY)) return true;
  return SECTIONS.some((section) => {
    const devices: readonly object[] = frame[KEY_OF_SECTION[section]] ?? [];
    return devices.some((device) => !Object.hasOwn(device, "host_id"));
  });
}

/** Both objects' fields; where both have an object, that of both, at any depth. */
function merged(common: Fields, own: Fields): Fields {
  const both = {};
  for (const [key, value] of [...Object.entries(common), ...Object.entries(own)]) {
    const before: unknown = Object.hasOwn(both, key) ? (both as Fields)[key] : undefined;
    setOwn(both, key, isFields(before) && isFields(value) ? merged(before, value) : value);
  }
  return both;
}

/** The object with null in each field of the table that it lacks and always has. */
function withNulls(object: Fields, fields: FieldMap): Fields {
  const whole = { ...object };
  for (const [name, { optional, nullable, items, fields: inner }] of Object.entries(fields)) {
    const value = object[name];
    if (value === undefined && optional !== true && nullable === true) whole[name] = null;
    else if (inner !== undefined && isFields(value)) whole[name] = withNulls(value, inner);
    else if (items?.fields !== undefined && Array.isArray(value)) {
      const { fields: ofItems } = items;
      whole[name] = value.map((item: unknown) => (isFields(item) ? withNulls(item, ofItems) : item));
    }
  }
  return whole;
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
