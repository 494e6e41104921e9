/**
 * One all-smi snapshot (schema 1, all-smi 0.22 to 0.27, src/device/types.rs) -> sections. Sentinels become null, a
 * null or odd value costs that value alone, fields and sections that we do not know are passed on.
 */
import {
  isDeviceLabel,
  isRecordKey,
  KEY_OF_SECTION,
  type Section,
  type SectionError,
  type Sections,
  SECTIONS,
} from "../../contract/record.js";
import { setOwn } from "../../lib/host-json.js";
import { cleanText, oneLine } from "../../lib/text.js";
import { at, isObject, type JsonObject } from "../kit/json-text.js";
import { firstErrors } from "../kit/part-output.js";
import type { Reading } from "../kit/shim.js";
import { boundEntry } from "./bounds.js";
import { READ_DEVICE, withoutEntries } from "./devices.js";

/** Which sections a snapshot holds. */
export function sectionsOf(snapshot: object): readonly Section[] {
  return SECTIONS.filter((section) => Object.hasOwn(snapshot, KEY_OF_SECTION[section]));
}

/** `clean`: whether texts must be looked at for control characters and halves of characters. */
export function readSnapshot(snapshot: JsonObject, clean: boolean): Reading {
  const errors: SectionError[] = [];
  const sections: Sections = {};
  let unknown = 0;
  for (const [key, value] of Object.entries(snapshot)) {
    const section = SECTIONS.find((candidate) => KEY_OF_SECTION[candidate] === key);
    if (section !== undefined) {
      if (Array.isArray(value)) setOwn(sections, key, devicesOf(section, value, clean, errors));
      else if (value !== null) errors.push(parseError(section, `${key} is not a list`));
    } else if (Array.isArray(value) && !isRecordKey(key) && ++unknown <= MAX_UNKNOWN) {
      setOwn(sections, cleanText(key), entriesOf("gpu", `"${oneLine(key, 40)}"`, value, clean, errors));
    }
  }
  if (unknown > MAX_UNKNOWN)
    errors.push(parseError("gpu", `${unknown} sections of other names; the first ${MAX_UNKNOWN} are read`));
  const told = at(snapshot, "errors");
  const own = Array.isArray(told) ? told.flatMap(errorOf) : [];
  return { sections, errors: firstErrors([...errors, ...own]) };
}

// Sections of a newer all-smi: it has had six since the first.
const MAX_UNKNOWN = 64;
// More than a host has of anything, its processes too.
const MAX_ENTRIES = 16_384;

function parseError(section: Section, what: string): SectionError {
  return { section, kind: "parse", message: `all-smi: ${what}` };
}

/** The entries of a list as they may be passed on. `name`: for messages. */
function entriesOf(
  section: Section,
  name: string,
  list: readonly unknown[],
  clean: boolean,
  errors: SectionError[],
): readonly unknown[] {
  if (list.length > MAX_ENTRIES)
    errors.push(parseError(section, `${list.length} entries of ${name}; the first ${MAX_ENTRIES} are read`));
  return list.slice(0, MAX_ENTRIES).map((item, place) => {
    const { entry, problem } = boundEntry(item, clean);
    if (problem !== null) errors.push(parseError(section, `entry ${place} of ${name}: ${problem}`));
    return entry;
  });
}

function devicesOf(
  section: Section,
  list: readonly unknown[],
  clean: boolean,
  errors: SectionError[],
): readonly JsonObject[] {
  const devices: JsonObject[] = [];
  for (const [place, item] of entriesOf(section, section, list, clean, errors).entries()) {
    const device = isObject(item) ? READ_DEVICE[section](withoutLabels(item), place) : null;
    if (device !== null) devices.push(device);
    else errors.push(parseError(section, `entry ${place} of ${section} is not a device`));
  }
  return devices;
}

/** A device's own labels give way to the frame's. */
function withoutLabels(device: JsonObject): JsonObject {
  return withoutEntries(device, isDeviceLabel);
}

const MAX_MESSAGE = 1000;

/** all-smi's {section, kind: timeout | panic | error, message}. */
function errorOf(value: unknown): SectionError[] {
  if (!isObject(value)) return [];
  const section = SECTIONS.find((candidate) => candidate === at(value, "section")) ?? "gpu";
  const message = at(value, "message");
  const said = typeof message === "string" ? oneLine(message, MAX_MESSAGE) : "no message";
  const kind = at(value, "kind");
  if (kind === "timeout") return [{ section, kind, message: `all-smi: ${said}` }];
  return [
    { section, kind: "error", message: kind === "panic" ? `all-smi panicked: ${said}` : `all-smi: ${said}` },
  ];
}
