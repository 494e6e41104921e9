/** Rows of the demo fleet as the recipes write them, and as a store of logs gives them back. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { runCli } from "../support/cli.js";

export type Row = Readonly<Record<string, unknown>>;

export const exampleFile = (name: string): string =>
  fileURLToPath(new URL(`../../examples/logs/${name}`, import.meta.url));

/** Two ticks of the demo fleet, in the file. */
export async function writeRows(file: string): Promise<readonly Row[]> {
  const flags = ["--demo", "--count", "2", "--interval", "2", "--rows", "device", "--compact"];
  const run = await runCli([...flags, "--output", file, "--quiet"]);
  assert.equal(run.code, 0, run.stderr);
  return rowsIn(file);
}

export function rowsIn(file: string): readonly Row[] {
  const lines = readFileSync(file, "utf8").trimEnd().split("\n");
  return lines.map((line) => JSON.parse(line) as Row);
}

/** An example's text with other places in it. Fails where one is not there. */
export function adapted(name: string, places: Readonly<Record<string, string>>): string {
  let text = readFileSync(exampleFile(name), "utf8");
  for (const [from, to] of Object.entries(places)) {
    assert.ok(text.includes(from), `${name} has no ${from}`);
    text = text.replaceAll(from, to);
  }
  return text;
}

/** As VictoriaLogs keeps an object: inner keys after a dot, lists as JSON, every value a text, nothing where it is empty. */
export function flattened(row: Row, prefix = ""): Readonly<Record<string, string>> {
  const pairs = Object.entries(row).flatMap(([key, value]): readonly (readonly [string, string])[] => {
    if (value === null || value === "") return [];
    if (Array.isArray(value)) return [[`${prefix}${key}`, JSON.stringify(value)]];
    if (typeof value === "object") return Object.entries(flattened(value as Row, `${prefix}${key}.`));
    return [[`${prefix}${key}`, typeof value === "string" ? value : JSON.stringify(value)]];
  });
  return Object.fromEntries(pairs);
}

/** Rows in an order of their own, so that two lists of them can be compared. */
export function sortedTexts(rows: readonly Readonly<Record<string, string>>[]): readonly string[] {
  return rows.map((row) => JSON.stringify(Object.entries(row).sort())).sort();
}
