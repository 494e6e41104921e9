/**
 * Compares what a shim reads from the recordings in ../shared/fixtures with the values that their INDEX.md states.
 * The recordings are no part of the project: where they are absent, each table is skipped with that message.
 */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { describe, test } from "node:test";
import { withExtras, type Gpu } from "../../src/contract/record.js";
import type { Reading } from "../../src/shims/kit/shim.js";

export const FIXTURES = join(import.meta.dirname, "../../../shared/fixtures");

/** A field as the record names it, `detail.key`, or `errors` and `devices`, which count. */
type Expected = Readonly<Record<string, string | number | boolean | null>>;

export interface FixtureRow {
  readonly file: string;
  /** Device index -> what INDEX.md states of it, in the record's units. */
  readonly devices: Readonly<Record<number, Expected>>;
  /** How many devices the file lists. */
  readonly count: number;
  readonly read: (text: string) => Reading;
}

/** A recording that no command of ours prints, and why it is not read. */
export interface UnusedFixture {
  readonly file: string;
  readonly why: string;
}

/** One test a file, and one that no file of the tool was forgotten; prints files, values and agreements. */
export function testFixtures(
  tool: string,
  rows: readonly FixtureRow[],
  unused: readonly UnusedFixture[] = [],
): void {
  const folder = join(FIXTURES, tool);
  if (!existsSync(folder)) {
    test(`fixtures of ${tool}`, { skip: `NOT RUN: ${relative(process.cwd(), folder)} is not there` });
    return;
  }
  describe(`fixtures of ${tool}`, () => {
    const tally = { values: 0, wrong: 0 };
    for (const row of rows) {
      test(row.file, () => {
        const { sections } = row.read(readFileSync(join(folder, row.file), "utf8"));
        const gpus = sections.gpus ?? [];
        const wrong = [
          ...compare("devices", gpus.length, row.count),
          ...Object.entries(row.devices).flatMap(([index, expected]) =>
            Object.entries(expected).flatMap(([field, value]) =>
              compare(`${index}.${field}`, valueOf(gpus, Number(index), field), value),
            ),
          ),
        ];
        tally.values += 1 + Object.values(row.devices).reduce((sum, one) => sum + Object.keys(one).length, 0);
        tally.wrong += wrong.length;
        assert.deepEqual(wrong, []);
      });
    }
    test("every recording of the tool is in the table", (t) => {
      const there = readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
      const known = [...rows, ...unused].map(({ file }) => file);
      for (const { file, why } of unused) t.diagnostic(`${tool}/${file}: not read: ${why}`);
      const read = new Set(rows.map(({ file }) => file)).size;
      t.diagnostic(
        `${tool}: ${String(read)} files, ${String(tally.values)} values, ${String(tally.values - tally.wrong)} agreements`,
      );
      assert.deepEqual([...new Set(known)].sort(), there.sort());
    });
  });
}

function valueOf(gpus: readonly Gpu[], index: number, field: string): unknown {
  const gpu = gpus.find((one) => one.index === index);
  if (gpu === undefined) return "no such device";
  return field.startsWith("detail.") ? gpu.detail[field.slice("detail.".length)] : withExtras(gpu)[field];
}

function compare(what: string, actual: unknown, expected: unknown): readonly string[] {
  return Object.is(actual, expected)
    ? []
    : [`${what}: read ${JSON.stringify(actual)}, INDEX has ${JSON.stringify(expected)}`];
}

/** For `test(..., { skip })`. */
export const noFixtures: string | false = existsSync(join(FIXTURES, "INDEX.md"))
  ? false
  : "SKIPPED LOUDLY: ../shared/fixtures is not there";

export function readFixture(tool: string, file: string): string {
  return readFileSync(join(FIXTURES, tool, file), "utf8");
}

/** The text of the last column by file, in the order of the index. */
export function fixtureTexts(tool: string): ReadonlyMap<string, string> {
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
