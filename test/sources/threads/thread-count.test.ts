import assert from "node:assert/strict";
import { test } from "node:test";
import type { OutputFormat, RunLength } from "../../../src/contract/options.js";
import { threadCount } from "../../../src/sources/threads/thread-count.js";

const ENDLESS: RunLength = { kind: "endless" };
const CASES: readonly (readonly [string, number | "auto", RunLength, OutputFormat, number, number])[] = [
  ["a large fleet has one", "auto", ENDLESS, "ndjson", 1000, 1],
  ["so has one in CSV, for a while", "auto", { kind: "count", ticks: 3 }, "csv", 100, 1],
  ["a small one has none", "auto", ENDLESS, "ndjson", 99, 0],
  ["a run of one tick has none", "auto", { kind: "once" }, "ndjson", 1000, 0],
  ["a table has none", "auto", ENDLESS, "table", 1000, 0],
  ["the operator's number wins", 4, { kind: "once" }, "table", 1000, 4],
  ["none is asked for", 0, ENDLESS, "ndjson", 1000, 0],
  ["no more than hosts", 8, ENDLESS, "ndjson", 3, 3],
];
for (const [what, workers, length, format, hosts, threads] of CASES) {
  test(what, () => assert.equal(threadCount({ workers, length }, format, hosts), threads));
}
