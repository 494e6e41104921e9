/** The flags that choose what is printed, and the format: `--rows`, `--fields`, `--where`, `--compact` and their like. */
import { fieldPath } from "../contract/field-path.js";
import type { OutputFormat } from "../contract/options.js";
import type { Section } from "../contract/record.js";
import type { Selection } from "../contract/selection.js";
import type { FlagReader } from "./flag-reader.js";
import { readConditions } from "./read-verdict.js";

/** They choose from lines: a table and metrics are of the whole fleet. */
const LINE_FLAGS = ["rows", "fields", "frames-only", "states-only", "compact"] as const;
const TABLE_FLAGS = ["view", "sort", "group-by"] as const;

interface Chosen {
  readonly format: OutputFormat | null;
  readonly query: readonly string[];
  readonly selection: Selection;
}

/**
 * Without `--format`, a flag that chooses lines makes it NDJSON, and one of the table that was typed makes it that; a default
 * from elsewhere must not make a table of every pipe. `include`: null where it was not given.
 */
export async function readSelection(
  reader: FlagReader,
  formats: readonly OutputFormat[],
  include: readonly Section[] | null,
  isTyped: (flag: string) => boolean,
): Promise<Chosen> {
  const isOfLines = LINE_FLAGS.some((flag) => reader.has(flag));
  const isOfTable = TABLE_FLAGS.some(isTyped);
  const implied = isOfTable ? "table" : isOfLines ? "ndjson" : null;
  const format = reader.choice("format", formats, null) ?? implied;
  refuseOtherFormats(reader, format, isTyped);
  const rows = reader.choice("rows", ["record", "device"], "record");
  const selection: Selection = {
    rows,
    only: reader.has("frames-only") ? "frame" : reader.has("states-only") ? "state" : null,
    where: await readWhere(reader),
    isCompact: reader.has("compact"),
  };
  return { format, selection, query: await readFields(reader, format, rows, include) };
}

function refuseOtherFormats(
  reader: FlagReader,
  format: OutputFormat | null,
  isTyped: (flag: string) => boolean,
): void {
  const { problems } = reader;
  if (format !== "table")
    for (const flag of TABLE_FLAGS) if (isTyped(flag)) problems.add(`--${flag}: only with --format table`);
  if (reader.has("where") && format === "prometheus")
    problems.add("--where: only with --format ndjson, csv or table");
  if (reader.has("query") && format !== "csv") problems.add("--query: only with --format csv");
  if (format !== "ndjson" && format !== "csv") {
    for (const flag of LINE_FLAGS)
      if (reader.has(flag)) problems.add(`--${flag}: only with --format ndjson or csv`);
  } else if (format === "csv") {
    if (reader.has("compact")) problems.add("--compact: only with --format ndjson");
    if (reader.texts("rows").at(-1) === "record")
      problems.add("--rows record: only with --format ndjson; CSV has a row for each device");
  }
}

async function readWhere(reader: FlagReader): Promise<Selection["where"]> {
  const conditions = await readConditions(reader, "where");
  for (const { text, ticks } of conditions)
    if (ticks > 1)
      reader.problems.add(
        `--where: "${text}" needs several readings, and --where looks at one record at a time; leave out "for ${ticks} ticks"`,
      );
  return conditions;
}

/** Each path once, as typed. */
async function readFields(
  reader: FlagReader,
  format: OutputFormat | null,
  rows: Selection["rows"],
  include: readonly Section[] | null,
): Promise<readonly string[]> {
  if (reader.has("query") && format !== "csv") return [];
  const flag = reader.has("query") ? "query" : "fields";
  const paths = [...new Set(reader.list(flag))];
  if (paths.length === 0) return paths;
  const { fieldProblem } = await import("../conditions/chosen-fields.js");
  const layout = format === "csv" ? "csv" : rows === "device" ? "rows" : "records";
  for (const text of paths) {
    const path = fieldPath(text);
    const problem =
      path === null
        ? `"${text}" is not a dot path; write names joined by dots, as detail.cuda_version`
        : fieldProblem(path, layout, include);
    if (problem !== null) reader.problems.add(`--${flag}: ${problem}`);
  }
  return paths;
}
