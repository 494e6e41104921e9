/**
 * The manual page allsmi-ssh-records(5), made from the field tables as docs/records.md is. The build writes it to dist/man/.
 * It is in mdoc(7); `mandoc -T lint` has nothing to say about it.
 */
import { typeText } from "../docs/type-text.js";
import {
  DEVICE_LABEL_FIELDS,
  ENVELOPE_FIELDS,
  FRAME_FIELDS,
  LAST_ERROR_FIELDS,
  STATE_FIELDS,
} from "../src/contract/envelope-fields.js";
import type { Field, FieldMap } from "../src/contract/field-table.js";
import { csvColumns, SECTION_FIELDS } from "../src/contract/fields.js";
import { KEY_OF_SECTION, SECTIONS, STATE_OF_CODE } from "../src/contract/record.js";
import { rowName } from "../src/contract/row-fields.js";

/** A date that is fixed: a page that is built again is the same page. */
const DATE = "January 1, 2026";
/** As much of a line as has room, up to a blank. */
const LONG_LINE = /(?=.{79})(.{1,78}) /g;

/** The text of the page. */
export function recordsPage(): string {
  const lines = [
    `.Dd ${DATE}`,
    ".Dt ALLSMI-SSH-RECORDS 5",
    ".Os",
    ".Sh NAME",
    ".Nm allsmi-ssh-records",
    ".Nd what allsmi-ssh prints of a host",
    ".Sh DESCRIPTION",
    ...prose(
      "NDJSON is UTF-8, one JSON object a line. Field names and units are those of `all-smi snapshot --format json`, schema 1. Percentages are 0 to 100.",
    ),
    ".Pp",
    ...prose(
      "`null` is a reading that the source has but could not give. It is never 0, never -1 and never an older value. A section is absent when it was not asked for or the host has none. An optional field is absent where the source has no such reading. Fields are only ever added.",
    ),
    ".Sh EVERY RECORD",
    ...list(ENVELOPE_FIELDS),
    ".Sh FRAMES",
    ...prose("A `frame` is a host that answered. It has the sections below, as asked, and:"),
    ...list(FRAME_FIELDS),
    ".Sh STATES",
    ...prose("A `state` is what happened to a host, or why it has no frame."),
    ...list(STATE_FIELDS),
    ".Ss Codes of last_error",
    ...prose("Each code belongs to one state of the host."),
    ...codes(),
    ".Sh DEVICES",
    ...prose("The elements of every section also have these labels:"),
    ...list(DEVICE_LABEL_FIELDS),
    ...SECTIONS.flatMap((section) => [`.Ss ${KEY_OF_SECTION[section]}`, ...list(SECTION_FIELDS[section])]),
    ".Sh CSV COLUMNS",
    ...prose(
      "A row has `timestamp`, `tick`, `host_id`, `hostname`, `state`, `transport`, one column for each label, `section` and `index`, then these of each section in the output, then `error`.",
    ),
    ".Bl -tag -width Ds",
    ...SECTIONS.flatMap((section) => [
      `.It Li ${section}`,
      ...prose(
        `${csvColumns(section)
          .map((name) => rowName(section, name) ?? name)
          .join(", ")}.`,
      ),
    ]),
    ".El",
    ".Sh SEE ALSO",
    ".Xr allsmi-ssh 1",
  ];
  return `${lines.join("\n")}\n`;
}

/** A list of fields, with those of the objects inside them. */
function list(fields: FieldMap): readonly string[] {
  const items = Object.entries(fields).flatMap(([name, field]) => [
    `.It Li ${name} Pq ${kind(field)}`,
    ...prose(field.text),
    // The codes have a list of their own.
    ...(field.values === undefined || field.values === LAST_ERROR_FIELDS.code.values
      ? []
      : prose(valuesText(field.values))),
    ...inside(field),
  ]);
  return [".Bl -tag -width Ds", ...items, ".El"];
}

function inside({ fields, items }: Field): readonly string[] {
  const inner = fields ?? items?.fields;
  return inner === undefined ? [] : list(inner);
}

/** As `number or null , W`: each part is an argument of a macro. */
function kind(field: Field): string {
  const parts = [typeText(field), field.optional === true ? "optional" : undefined, field.unit];
  return parts
    .filter((part) => part !== undefined)
    .map(escaped)
    .join(" , ");
}

function valuesText(values: Readonly<Record<string, string>>): string {
  return `${Object.entries(values)
    .map(([value, about]) => `\`${value}\`: ${about}`)
    .join("; ")}.`;
}

function codes(): readonly string[] {
  const states: ReadonlyMap<string, string> = new Map(Object.entries(STATE_OF_CODE));
  const items = Object.entries(LAST_ERROR_FIELDS.code.values).flatMap(([code, about]) => [
    `.It Li ${code} Pq ${states.get(code) ?? "connected"}`,
    ...prose(`${about}.`),
  ]);
  return [".Bl -tag -width Ds", ...items, ".El"];
}

/** Text as lines of mdoc: a sentence begins a line, and long ones are wrapped. */
function prose(text: string): readonly string[] {
  return escaped(text)
    .replaceAll(/`([^`]*)`/g, (_, code: string) => `\\(oq${code.replaceAll("-", "\\-")}\\(cq`)
    .replaceAll(/([.!?]) (?=[A-Z\\])/g, "$1\n")
    .replaceAll(LONG_LINE, "$1\n")
    .split("\n")
    .map((line) => line.replace(/^(?=[.'])/, "\\&"));
}

/** What roff would read as its own, and what is not ASCII, is written as an escape. */
function escaped(text: string): string {
  return text
    .replaceAll("\\", "\\e")
    .replaceAll(
      /[^\n -~]/gu,
      (character) => `\\[u${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}]`,
    );
}
