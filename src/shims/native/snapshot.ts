/**
 * Reads one all-smi snapshot (schema 1, all-smi 0.22 to 0.27, src/device/types.rs) into sections. Sentinels become null.
 * An invalid value loses only that value. Unknown fields and sections are passed on.
 */
import {
  isDeviceLabel,
  isRecordKey,
  KEY_OF_SECTION,
  NATIVE_SECTIONS,
  type NativeSection,
  type Section,
  type SectionError,
  type Sections,
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
  return NATIVE_SECTIONS.filter((section) => Object.hasOwn(snapshot, KEY_OF_SECTION[section]));
}

/** `clean`: the texts may contain control characters or lone surrogates and must be cleaned. */
export function readSnapshot(snapshot: JsonObject, clean: boolean): Reading {
  const errors: SectionError[] = [];
  const sections: Sections = {};
  const take = (key: string, list: ListRead): void => {
    setOwn(sections, key, list.entries);
    for (const error of list.errors) errors.push(error);
  };
  let unknown = 0;
  for (const [key, value] of Object.entries(snapshot)) {
    const section = NATIVE_SECTIONS.find((candidate) => KEY_OF_SECTION[candidate] === key);
    if (section !== undefined) {
      if (Array.isArray(value)) take(key, devicesOf(section, value, clean));
      else if (value !== null) errors.push(parseError(section, `${key} is not a list`));
    } else if (Array.isArray(value) && !isRecordKey(key) && ++unknown <= MAX_UNKNOWN) {
      take(cleanText(key), entriesOf("gpu", `"${oneLine(key, 40)}"`, value, clean));
    }
  }
  if (unknown > MAX_UNKNOWN)
    errors.push(parseError("gpu", `${unknown} sections of other names; the first ${MAX_UNKNOWN} are read`));
  const reported = at(snapshot, "errors");
  const own = Array.isArray(reported) ? reported.flatMap(errorOf) : [];
  return { sections, errors: firstErrors([...errors, ...own]) };
}

// Sections of a newer all-smi: every version so far has six.
const MAX_UNKNOWN = 64;
// More than a host has of anything, even of processes.
const MAX_ENTRIES = 16_384;

function parseError(section: Section, what: string): SectionError {
  return { section, kind: "parse", message: `all-smi: ${what}` };
}

interface ListRead {
  readonly entries: readonly unknown[];
  readonly errors: readonly SectionError[];
}

/** The entries of a list within the limits of bounds.ts. `name`: for messages. */
function entriesOf(section: Section, name: string, list: readonly unknown[], clean: boolean): ListRead {
  const errors: SectionError[] = [];
  if (list.length > MAX_ENTRIES)
    errors.push(parseError(section, `${list.length} entries of ${name}; the first ${MAX_ENTRIES} are read`));
  const entries = list.slice(0, MAX_ENTRIES).map((item, place) => {
    const { entry, problem } = boundEntry(item, clean);
    if (problem !== null) errors.push(parseError(section, `entry ${place} of ${name}: ${problem}`));
    return entry;
  });
  return { entries, errors };
}

function devicesOf(section: NativeSection, list: readonly unknown[], clean: boolean): ListRead {
  const { entries, errors } = entriesOf(section, section, list, clean);
  const read = entries.map((item, place) =>
    isObject(item) ? READ_DEVICE[section](withoutLabels(item), place) : null,
  );
  const noDevices = read.flatMap((device, place) =>
    device === null ? [parseError(section, `entry ${place} of ${section} is not a device`)] : [],
  );
  return { entries: read.filter((device) => device !== null), errors: [...errors, ...noDevices] };
}

/** Without the labels of the host, which the record sets itself. */
function withoutLabels(device: JsonObject): JsonObject {
  return withoutEntries(device, isDeviceLabel);
}

const MAX_MESSAGE = 1000;

/** Reads all-smi's {section, kind: timeout | panic | error, message}. */
function errorOf(value: unknown): SectionError[] {
  if (!isObject(value)) return [];
  const section = NATIVE_SECTIONS.find((candidate) => candidate === at(value, "section")) ?? "gpu";
  const message = at(value, "message");
  const text = typeof message === "string" ? oneLine(message, MAX_MESSAGE) : "no message";
  const kind = at(value, "kind");
  if (kind === "timeout") return [{ section, kind, message: `all-smi: ${text}` }];
  return [
    { section, kind: "error", message: kind === "panic" ? `all-smi panicked: ${text}` : `all-smi: ${text}` },
  ];
}
