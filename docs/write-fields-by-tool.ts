/**
 * Writes docs/fields-by-tool.md: which fields each tool and system fills, and what a frame of them costs in bytes, counted
 * from the expected readings in golden/. UPDATE_GOLDEN=1 writes the file; a test compares it with what would be written.
 */
import { format } from "prettier";
import { KEY_OF_SECTION, SECTIONS, type Section } from "../src/contract/record.js";
import { SECTION_FIELDS } from "../src/contract/fields.js";
import { TOOLS } from "../src/shims/registry.js";
import { goldenCases, recordedReadings, type RecordedDevice } from "../test/support/golden.js";
import { frameSizes } from "./frame-sizes.js";

/** Whether a tool's readings have a value in a field, only ever null, or no such field. */
type Filled = "value" | "null" | "none";
const MARK: Readonly<Record<Filled, string>> = { value: "+", null: "0", none: "" };

/** The text of docs/fields-by-tool.md. */
export async function writeFieldsByTool(): Promise<string> {
  const devices = recordedReadings();
  const text = [
    "# Fields by tool",
    "<!-- Counted from golden/*/*/expected.json by docs/write-fields-by-tool.ts: UPDATE_GOLDEN=1 node --import tsx --test test/docs/fields-by-tool.test.ts -->",
    "What each tool and system fills, counted from the readings that the parsers' tests expect (golden/). `+`: some recording " +
      "or example has a value; `0`: the tool has the field, and no recording a value; blank: no such field. What the fields " +
      "mean is in [records.md](records.md).",
    "Not counted, because no parser alone sets them: `nvlink`, and `pcie` of NVIDIA without MIG, which are asked seldom; " +
      "`memory_unaccounted`, which needs all processes; `tool`.",
    "## In numbers",
    summaryTable(devices),
    ...SECTIONS.flatMap((section) => matrix(section, devices)),
    "## `gpus[].detail`",
    detailTable(devices),
    "## Bytes of a frame",
    "Eight devices that differ in their ids and their readings, made of the fullest device in the tool's recordings and " +
      "examples, with `--include gpu`; a line of NDJSON, and the same line with `--compact` ([rows.md](rows.md#--compact)).",
    table(
      ["tool", "bytes", "with --compact", "share"],
      frameSizes(devices).map(({ tool, whole, compact }) => [
        ...[tool, String(whole), String(compact)],
        `${Math.round((compact / whole) * 100)} %`,
      ]),
    ),
  ].join("\n\n");
  return format(text, { parser: "markdown", printWidth: 110 });
}

function summaryTable(devices: readonly RecordedDevice[]): string {
  const rows = sourcesOf(devices).map((source) => {
    const own = devices.filter((each) => each.source === source);
    const counts = SECTIONS.map((section) => String(filledFields(section, own).size || ""));
    const details = String(detailKeys(own).size || "");
    return [source, String(goldenCases(source).length), ...counts, details];
  });
  const keys = SECTIONS.map((section) => KEY_OF_SECTION[section]);
  return table(["tool or system", "cases", ...keys, "detail"], rows);
}

/** The fields that have a value in some device. */
function filledFields(section: Section, devices: readonly RecordedDevice[]): ReadonlySet<string> {
  const names = Object.keys(SECTION_FIELDS[section]);
  return new Set(names.filter((name) => filled(name, section, devices) === "value"));
}

function filled(name: string, section: Section, devices: readonly RecordedDevice[]): Filled {
  const values = devices.flatMap((each): readonly unknown[] =>
    each.section === section && Object.hasOwn(each.device, name) ? [Reflect.get(each.device, name)] : [],
  );
  if (values.length === 0) return "none";
  return values.every((value) => value === null) ? "null" : "value";
}

/** A row for each field that anything has, a column for each tool or system that has the section. */
function matrix(section: Section, devices: readonly RecordedDevice[]): readonly string[] {
  const own = devices.filter((each) => each.section === section);
  const sources = sourcesOf(own);
  if (sources.length === 0) return [];
  const bySource = sources.map((source) => own.filter((each) => each.source === source));
  const rows = Object.keys(SECTION_FIELDS[section]).flatMap((name) => {
    const marks = bySource.map((each) => MARK[filled(name, section, each)]);
    return marks.every((mark) => mark === "") ? [] : [[code(name), ...marks]];
  });
  return [`## \`${KEY_OF_SECTION[section]}\``, table(["field", ...sources], rows)];
}

function detailTable(devices: readonly RecordedDevice[]): string {
  const own = devices.filter(({ section }) => section === "gpu");
  return table(
    ["tool", "keys"],
    sourcesOf(own).flatMap((source) => {
      const keys = [...detailKeys(own.filter((each) => each.source === source))].sort();
      return keys.length === 0 ? [] : [[source, keys.map(code).join(", ")]];
    }),
  );
}

function detailKeys(devices: readonly RecordedDevice[]): ReadonlySet<string> {
  return new Set(
    devices.flatMap(({ section, device }) => {
      const detail: unknown = section === "gpu" ? Reflect.get(device, "detail") : null;
      return typeof detail === "object" && detail !== null ? Object.keys(detail) : [];
    }),
  );
}

/** Tools in the order in which they are tried, then systems. */
function sourcesOf(devices: readonly RecordedDevice[]): readonly string[] {
  const found = new Set(devices.map(({ source }) => source));
  const tools = TOOLS.map(({ id }) => id);
  const systems = [...found].filter((source) => !tools.includes(source)).sort();
  return [...tools.filter((id) => found.has(id)), ...systems];
}

const code = (text: string): string => `\`${text}\``;

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}
