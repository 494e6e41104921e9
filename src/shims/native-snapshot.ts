/**
 * One all-smi snapshot (schema 1, all-smi 0.22 to 0.27, src/device/types.rs) -> sections. Sentinels become null, a
 * null or odd value costs that value alone, fields and sections that we do not know are passed on.
 */
import { cleanText } from "../lib/text.js";
import { KEY_OF_SECTION, type Section, type SectionError, SECTIONS } from "../record.js";
import { isObject, type JsonObject } from "./json-text.js";
import { READ_DEVICE, withoutEntries } from "./native-devices.js";
import { firstErrors } from "./part-output.js";
import type { Reading } from "./shim.js";

/** Which sections a snapshot holds. */
export function sectionsOf(snapshot: object): readonly Section[] {
  return SECTIONS.filter((section) => Object.hasOwn(snapshot, KEY_OF_SECTION[section]));
}

/** `clean`: whether texts must be looked at for control characters and numbers for infinity (1e999). */
export function readSnapshot(snapshot: JsonObject, clean: boolean): Reading {
  const whole = clean ? (cleanDeep(snapshot) as JsonObject) : snapshot;
  const errors: SectionError[] = [];
  const sections: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(whole)) {
    const section = SECTIONS.find((candidate) => KEY_OF_SECTION[candidate] === key);
    if (section === undefined) {
      if (Array.isArray(value) && key !== "errors" && !ENVELOPE.has(key)) sections[key] = value;
    } else if (Array.isArray(value)) {
      sections[key] = devicesOf(section, value, errors);
    } else if (value !== null) {
      errors.push({ section, kind: "parse", message: `all-smi: ${key} is not a list` });
    }
  }
  if (Array.isArray(whole["errors"])) errors.push(...whole["errors"].flatMap(errorOf));
  return { sections, errors: firstErrors(errors) };
}

// Keys that a frame has of its own.
const ENVELOPE = new Set([
  "schema",
  "record",
  "timestamp",
  "tick",
  "host_id",
  "target",
  "hostname",
  "labels",
  "state",
]);
// A device's own labels give way to the frame's.
const LABELS = new Set(["host_id", "hostname", "instance", "time"]);

// More than a host has of anything, its processes too.
const MOST_ENTRIES = 16_384;

function devicesOf(section: Section, list: readonly unknown[], errors: SectionError[]): JsonObject[] {
  const devices: JsonObject[] = [];
  if (list.length > MOST_ENTRIES)
    errors.push({
      section,
      kind: "parse",
      message: `all-smi: ${list.length} entries of ${section}; the first ${MOST_ENTRIES} are read`,
    });
  for (const [at, item] of list.entries()) {
    if (at === MOST_ENTRIES) break;
    const device = isObject(item) ? READ_DEVICE[section](withoutLabels(item), at) : null;
    if (device !== null) devices.push(device);
    else
      errors.push({
        section,
        kind: "parse",
        message: `all-smi: entry ${at} of ${section} is not a device`,
      });
  }
  return devices;
}

function withoutLabels(device: JsonObject): JsonObject {
  return withoutEntries(device, (key) => LABELS.has(key));
}

/** all-smi's {section, kind: timeout | panic | error, message}. */
function errorOf(value: unknown): SectionError[] {
  if (!isObject(value)) return [];
  const section = SECTIONS.find((candidate) => candidate === value["section"]) ?? "gpu";
  const said = typeof value["message"] === "string" ? cleanText(value["message"]) : "no message";
  const kind = value["kind"];
  if (kind === "timeout") return [{ section, kind, message: `all-smi: ${said}` }];
  return [
    { section, kind: "error", message: kind === "panic" ? `all-smi panicked: ${said}` : `all-smi: ${said}` },
  ];
}

function cleanDeep(value: unknown): unknown {
  if (typeof value === "string") return cleanText(value);
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (Array.isArray(value)) return value.map(cleanDeep);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [cleanText(key), cleanDeep(item)]));
}
