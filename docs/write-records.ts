/**
 * Writes docs/records.md, the reference of all fields, from the tables in src/contract. UPDATE_GOLDEN=1 writes the file;
 * a test compares it with what would be written.
 */
import { format } from "prettier";
import {
  DEVICE_LABEL_FIELDS,
  ENVELOPE_FIELDS,
  FRAME_FIELDS,
  LAST_ERROR_FIELDS,
  SECTION_ERROR_FIELDS,
  STATE_FIELDS,
} from "../src/contract/envelope-fields.js";
import type { Field, FieldMap } from "../src/contract/field-table.js";
import { csvColumns, SECTION_FIELDS } from "../src/contract/fields.js";
import { KEY_OF_SECTION, SECTIONS, STATE_OF_CODE, type Section } from "../src/contract/record.js";
import { rowName } from "../src/contract/row-fields.js";
import { recordedReadings } from "../test/support/golden.js";
import { typeText } from "./type-text.js";

const SECTION_TEXT: Readonly<Record<Section, string>> = {
  gpu: "Accelerators: GPUs, NPUs and TPUs. Empty where the host has none ([hosts-without-gpus.md](hosts-without-gpus.md)).",
  cpu: "Processors.",
  memory: "Main memory.",
  chassis: "The machine as a whole.",
  process: "Processes that use an accelerator. With `--include process` only.",
  storage: "File systems. With `--include storage` only.",
  host: "The host itself: boot, kernel, drivers, pressure, disks. With `--include host` only (Linux).",
  network: "Network cards and InfiniBand ports. With `--include network` only (Linux).",
  event:
    "New events of the kernel log, oldest first, each once. With `--include event` or `--health`, and only in frames of ticks in which the log was read, at most every 30 s: `[]` is a log without new events, and a frame without `events` shows nothing about the log. See [events.md](events.md).",
};

/** An enum of more values gets a table of its own. */
const MANY = 6;

/** The text of docs/records.md. */
export async function writeRecords(): Promise<string> {
  const sources = sourcesByField();
  const text = [
    "# Records",
    `<!-- Written from src/contract/*-fields.ts by docs/write-records.ts: UPDATE_GOLDEN=1 node --import tsx --test test/docs/records.test.ts -->`,
    "NDJSON: UTF-8, one JSON object a line. Field names and units are those of `all-smi snapshot --format json`, schema 1. Percentages are 0 to 100.",
    "- `null` is a reading that the source has but could not give. It is never 0, never -1 and never an older value.\n" +
      "- A section is absent when it was not asked for or the host has none.\n" +
      "- An **optional** field is absent where the source has no such reading. The optional fields of devices are additions to all-smi's schema.\n" +
      "- A host with all-smi may send more fields than these, a newer one's too. They are passed on as they are.\n" +
      "- Fields are only ever added.\n" +
      "- Every tick has exactly one record of each host with that `tick`; `--once` prints exactly one line a host.",
    "## Every record",
    fieldTable(ENVELOPE_FIELDS),
    "## `frame`: a host that answered",
    "The sections below, as asked by `--include`, and:",
    fieldTable(FRAME_FIELDS),
    "A frame is a frame even when every asked section failed: `errors` has the reasons. An element of `errors`:",
    fieldTable(SECTION_ERROR_FIELDS),
    "## `state`: what happened to a host, or why it has no frame",
    fieldTable(STATE_FIELDS),
    "### `last_error`",
    fieldTable(LAST_ERROR_FIELDS),
    "### `state` and `previous_state`",
    stateTable(),
    "### `last_error.code`",
    codeTable(),
    "A host that went away is tried again after 1 s to 60 s with jitter; one that needs an operator (`auth-failed`, `host-key-rejected`, `unsupported`) after five minutes, so that nothing trips a lock-out. The first `access-denied` is tried again at once: a server that is stopped in the middle of a login looks the same.",
    "## Devices",
    "The elements of every section also have these labels, as all-smi's have:",
    fieldTable(DEVICE_LABEL_FIELDS),
    "**Source** names the tools and systems whose recordings in golden/ have a value in the field. `native` is all-smi. [fields-by-tool.md](fields-by-tool.md) has the same by tool, and how many bytes a frame has.",
    ...SECTIONS.flatMap((section) => [
      `### \`${KEY_OF_SECTION[section]}\``,
      SECTION_TEXT[section],
      fieldTable(SECTION_FIELDS[section], (name) => sources.get(`${section}.${name}`) ?? []),
      ...nestedTables(SECTION_FIELDS[section]),
    ]),
    "## CSV columns",
    "Without `--fields` the columns are `timestamp`, `tick`, `host_id`, `hostname`, `state`, `transport`, one for each label (`labels.rack`), `section` and `index`, then those of each section in the output, then `error`. [rows.md](rows.md) has more.",
    table(
      ["section", "columns"],
      SECTIONS.map((section) => [
        section,
        csvColumns(section)
          .map((name) => code(rowName(section, name) ?? name))
          .join(", "),
      ]),
    ),
  ].join("\n\n");
  return format(text, { parser: "markdown", printWidth: 110 });
}

function fieldTable(fields: FieldMap, sources?: (name: string) => readonly string[]): string {
  const rows = Object.entries(fields).map(([name, field]) => [
    code(name),
    typeText(field) + (field.optional === true ? ", optional" : ""),
    field.unit ?? "",
    meaning(field),
    ...(sources === undefined ? [] : [sources(name).join(", ")]),
  ]);
  return table(["field", "type", "unit", "meaning", ...(sources === undefined ? [] : ["source"])], rows);
}

/** Tables of the objects inside a device. */
function nestedTables(fields: FieldMap): readonly string[] {
  return Object.entries(fields).flatMap(([name, { items }]) =>
    items?.fields === undefined ? [] : [`An element of \`${name}\`:`, fieldTable(items.fields)],
  );
}

function meaning({ text, values }: Field): string {
  if (values === undefined) return text;
  if (Object.keys(values).length > MANY) return `${text} One of those below.`;
  const list = Object.entries(values).map(([value, about]) => `${code(value)}: ${about}`);
  return `${text} ${list.join("; ")}.`;
}

function stateTable(): string {
  const states = Object.entries(ENVELOPE_FIELDS.state.values);
  return table(
    ["state", "meaning"],
    states.map(([state, about]) => [code(state), about]),
  );
}

function codeTable(): string {
  const states: ReadonlyMap<string, string> = new Map(Object.entries(STATE_OF_CODE));
  return table(
    ["code", "state", "meaning"],
    Object.entries(LAST_ERROR_FIELDS.code.values).map(([name, about]) => [
      code(name),
      code(states.get(name) ?? "connected"),
      about,
    ]),
  );
}

/** By `section.field`, the folders in golden/ whose expected readings have a value there, sorted. */
function sourcesByField(): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, Set<string>>();
  for (const { source, section, device } of recordedReadings()) {
    for (const [field, value] of Object.entries(device)) {
      if (value === null) continue;
      const path = `${section}.${field}`;
      found.set(path, (found.get(path) ?? new Set()).add(source));
    }
  }
  return new Map([...found].map(([path, sources]) => [path, [...sources].sort()]));
}

const code = (text: string): string => `\`${text}\``;

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}
