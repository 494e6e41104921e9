/** Writes the table of docs/bounds.md from the constants in the source. */
import { format } from "prettier";
import { outcomeOf } from "./bound-outcomes.js";
import type { Outcome } from "./bound-outcomes.js";
import type { Bound } from "./collect-bounds.js";

const BEGIN =
  "<!-- Written by docs/write-bounds.ts: UPDATE_GOLDEN=1 node --import tsx --test test/docs/*.test.ts -->";

/** `document` with its table as it must be. Throws where the document has no place for it. */
export function withBounds(document: string, bounds: readonly Bound[]): Promise<string> {
  const [before, after] = document.split(BEGIN);
  if (before === undefined || after === undefined) throw new Error("no place for the table of caps");
  const rows = bounds.map((bound) => [
    `\`${bound.file}\``,
    `\`${bound.name}\``,
    valueText(bound),
    cell(outcomeText(outcomeOf(bound.file, bound.name))),
    cell(bound.comment),
  ]);
  const table = [
    ["where", "cap", "value", "over it", "about it"],
    ["---", "---", "---:", "---", "---"],
    ...rows,
  ]
    .map((row) => `| ${row.join(" | ")} |`)
    .join("\n");
  return format([before.trimEnd(), BEGIN, table, ""].join("\n\n"), { parser: "markdown", printWidth: 120 });
}

function outcomeText(outcome: Outcome | null): string {
  switch (outcome?.kind) {
    case undefined:
      return "";
    case "section":
      return `the section has an error of kind \`${outcome.error}\``;
    case "state":
      return `the host's record has \`${outcome.code}\``;
    case "usage":
      return "refused before anything connects";
    case "plain":
      return outcome.text;
  }
}

/** Bytes in binary units and milliseconds in seconds, where they are round; else as it is. */
function valueText({ name, value }: Bound): string {
  if (/_BYTES$/.test(name) && value >= 1024 && value % 1024 === 0)
    return value % 2 ** 20 === 0 ? `${value / 2 ** 20} MiB` : `${value / 1024} KiB`;
  if (/_MS$/.test(name))
    return value % 1000 === 0 ? `${plainNumber(value / 1000)} s` : `${plainNumber(value)} ms`;
  if (/_SECS$/.test(name)) return `${plainNumber(value)} s`;
  return plainNumber(value);
}

const plainNumber = (value: number): string => value.toLocaleString("en-US");

const cell = (text: string): string => text.replaceAll("|", "\\|");
