/** Rows of a fleet as the recipes write them, and as a store of logs gives them back. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { StreamRecord } from "../../src/contract/record.js";
import { fullFrame, oddFleet } from "../format/prometheus/fleet-of.js";
import { runCli } from "../support/cli.js";

export type Row = Readonly<Record<string, unknown>>;

export const exampleFile = (name: string): string =>
  fileURLToPath(new URL(`../../examples/logs/${name}`, import.meta.url));

/** Hosts of odd names, lost GPUs, hosts without a frame, and one of every section. */
export const FLEET: readonly StreamRecord[] = [...oddFleet(19), fullFrame()];

/** A recording of these hosts that began a minute ago. */
export function writeRecords(
  file: string,
  fleet: readonly StreamRecord[],
  ticks: number,
  pauseMs: number,
): readonly StreamRecord[] {
  const begin = Date.now() - 60_000;
  const records = Array.from({ length: ticks }, (_, tick) => {
    const timestamp = new Date(begin + tick * pauseMs).toISOString();
    return fleet.map((record): StreamRecord => ({ ...record, tick, timestamp }));
  }).flat();
  writeFileSync(file, records.map((record) => `${JSON.stringify(record)}\n`).join(""));
  return records;
}

/** Two ticks of that fleet, in the file, as the command of the recipes writes them. */
export async function writeRows(file: string): Promise<readonly Row[]> {
  const records = `${file}.records`;
  writeRecords(records, FLEET, 2, 2000);
  const run = await runCli(["--replay", records, ...ROW_FLAGS, "--output", file]);
  // Some hosts of this fleet fail.
  assert.equal(run.code, 3, run.stderr);
  return rowsIn(file);
}

export const ROW_FLAGS = ["--rows", "device", "--compact", "--quiet"] as const;

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
