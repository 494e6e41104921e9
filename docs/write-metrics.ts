/** Writes the table of metrics in docs/prometheus.md, from the families that are exported. */
import { format } from "prettier";
import { FAMILIES } from "../src/format/prometheus/exposition.js";
import { ownLabels } from "../src/format/prometheus/labels.js";

const BEGIN =
  "<!-- Written by docs/write-metrics.ts: UPDATE_GOLDEN=1 node --import tsx --test test/docs/*.test.ts -->";
const END = "<!-- The end of what is written. -->";

/** `document` with its list of metrics as it must be. Throws where the document has no place for it. */
export async function withMetrics(document: string): Promise<string> {
  const [before, rest] = document.split(BEGIN);
  const [, after] = rest?.split(END) ?? [];
  if (before === undefined || after === undefined) throw new Error("no place for the table of metrics");
  const text = [before.trimEnd(), BEGIN, table(), labels(), END, after.trimStart()].join("\n\n");
  return format(text, { parser: "markdown", printWidth: 120 });
}

function table(): string {
  const rows = FAMILIES.map(({ name, type, help, source }) =>
    [code(name), type, help.replaceAll("|", "\\|"), code(source)].join(" | "),
  );
  return ["metric | type | what it is | from", "--- | --- | --- | ---", ...rows]
    .map((row) => `| ${row} |`)
    .join("\n");
}

function labels(): string {
  return `Labels of ours, which no label of a hostfile takes: ${ownLabels().map(code).join(", ")}.`;
}

const code = (text: string): string => `\`${text}\``;
