/** Which paths `--fields` may name: in records those of the record tables, in rows and CSV those of a device by themselves too. */
import type { FieldPath } from "../contract/field-path.js";
import { shapeAt, SECTION_FIELDS } from "../contract/fields.js";
import type { Section } from "../contract/record.js";
import { deviceRowFields, FRAME_ROW_FIELDS, rowName, STATE_ROW_FIELDS } from "../contract/row-fields.js";
import { KEY_OF_SECTION, SECTIONS } from "../contract/sections.js";
import { closestName } from "../lib/closest-name.js";
import { cleanText } from "../lib/text.js";
import { KNOWN_FIELDS } from "./known-fields.js";

export type FieldLayout = "records" | "rows" | "csv";

/** What is wrong with a path, as a phrase; null where it is a field. `include`: sections whose names come first in a hint. */
export function fieldProblem(
  path: FieldPath,
  layout: FieldLayout,
  include: readonly Section[] | null,
): string | null {
  const sections = [...new Set([...(include ?? []), ...SECTIONS])];
  const problem =
    path.section !== null
      ? deviceProblem(path.section, path.keys, layout)
      : layout === "records"
        ? recordProblem(path.keys, sections)
        : rowProblem(path.keys, layout, sections);
  return problem === null ? null : cleanText(problem);
}

function deviceProblem(section: Section, keys: readonly string[], layout: FieldLayout): string | null {
  const [first = "", ...rest] = keys;
  if (/^\d+$/.test(first)) {
    if (layout === "csv") return KNOWN_FIELDS.problemOf(section, rest);
    return `${section}.${first} is one device, and a field is kept of all; --where "${section}.index == ${first}" chooses devices`;
  }
  const problem = KNOWN_FIELDS.problemOf(section, keys);
  const isMissing = layout === "rows" && rowName(section, first) === null && !isOfRow(first);
  return problem ?? (isMissing ? `rows do not repeat ${section}.${first}, which is the record's` : null);
}

function recordProblem(keys: readonly string[], sections: readonly Section[]): string | null {
  const [first = ""] = keys;
  if (isWholeSection(keys)) return null;
  const problem = KNOWN_FIELDS.problemOf(null, keys);
  const home = sections.find((section) => Object.hasOwn(SECTION_FIELDS[section], first));
  if (problem === null || home === undefined || shapeAt(null, [first]) !== null) return problem;
  return `a record has no field "${first}"; did you mean ${home}.${keys.join(".")}?`;
}

/** A row's own field, else one of its record, else one of a device of any section. */
function rowProblem(
  keys: readonly string[],
  layout: FieldLayout,
  sections: readonly Section[],
): string | null {
  const [first = "", ...rest] = keys;
  if (isOfRow(first)) {
    if (rest.length === 0) return null;
    return shapeAt(null, [first]) === null ? `${first} has no fields` : KNOWN_FIELDS.problemOf(null, keys);
  }
  if (layout === "csv" && (isWholeSection(keys) || KNOWN_FIELDS.problemOf(null, keys) === null)) return null;
  const homes = sections.filter((section) => Object.hasOwn(deviceRowFields(section), first));
  if (homes.length === 0) return unknownInRow(first, sections);
  const problems = homes.map((home) => KNOWN_FIELDS.problemOf(home, [bareName(home, first), ...rest]));
  return problems.includes(null) ? null : (problems[0] ?? null);
}

function isOfRow(name: string): boolean {
  return Object.hasOwn(STATE_ROW_FIELDS, name) || Object.hasOwn(FRAME_ROW_FIELDS, name);
}

function isWholeSection(keys: readonly string[]): boolean {
  return keys.length === 1 && SECTIONS.some((section) => KEY_OF_SECTION[section] === keys[0]);
}

/** What the device itself calls a field of its row. */
function bareName(section: Section, name: string): string {
  return Object.keys(SECTION_FIELDS[section]).find((field) => rowName(section, field) === name) ?? name;
}

function unknownInRow(name: string, sections: readonly Section[]): string {
  const names = [STATE_ROW_FIELDS, FRAME_ROW_FIELDS, ...sections.map(deviceRowFields)].flatMap((fields) =>
    Object.keys(fields),
  );
  const closest = closestName(name, names);
  const hint = closest === undefined ? "docs/rows.md has them all" : `did you mean ${closest}?`;
  return `a row has no field "${name}"; ${hint}`;
}
