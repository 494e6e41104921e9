/** What ../shared/fixtures/INDEX.md states of the recordings, read from its tables. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const FIXTURES = join(import.meta.dirname, "../../../shared/fixtures");

/** For `test(..., { skip })`. */
export const noFixtures: string | false = existsSync(join(FIXTURES, "INDEX.md"))
  ? false
  : "SKIPPED LOUDLY: ../shared/fixtures is not there";

export function readFixture(tool: string, file: string): string {
  return readFileSync(join(FIXTURES, tool, file), "utf8");
}

/** The text of the last column by file, in the order of the index. */
export function expectedWords(tool: string): ReadonlyMap<string, string> {
  const index = readFileSync(join(FIXTURES, "INDEX.md"), "utf8");
  const [, section = ""] = index.split(`\n## ${tool}\n`);
  const [table = ""] = section.split("\n## ");
  const rows = table.split("\n").flatMap((line) => {
    const cells = line.split("|").map((cell) => cell.trim());
    const [, file] = /^`(.+)`$/.exec(cells[1] ?? "") ?? [];
    return file === undefined ? [] : [[file, cells.at(-2) ?? ""] as const];
  });
  return new Map(rows);
}
