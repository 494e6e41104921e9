/**
 * Runs the tests as `node --test` does, each file in a process of its own, but several files at a time for each processor,
 * since most of them wait for programs. Exit status 1 where a test failed.
 *
 *   npm test             every test but those of the three commands below, with a quarter of the properties' runs
 *   npm test FILE...     these files
 *   npm run test:unit    the working loop: the quick tests, with a fifth of the properties' runs
 *   npm run test:long    growth, and the properties with ten times their runs
 *   npm run faults       test/fault: what goes wrong with real servers
 *   npm run nightly      test/nightly: programs of others, the package as others install it, the bench
 */
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { faultTable, forgetRows } from "./fault/matrix/table.js";
import { LONG_TESTS, QUICK_HALVES, runnable, testsOf, usualTests } from "./test-files.js";

const FILES_PER_PROCESSOR = 3;
const TIMEOUT_MS = 300_000;
const LONG_TIMEOUT_MS = 1_200_000;

const [mode, ...rest] = process.argv.slice(2);
const SHARES: Readonly<Record<string, string>> = { usual: "0.25", quick: "0.2", long: "10" };
const share = SHARES[mode ?? "usual"];
if (share !== undefined) process.env["PROPERTY_RUNS"] ??= share;

function wanted(): readonly string[] {
  if (mode === undefined) return usualTests();
  if (mode === "quick") return QUICK_HALVES;
  if (mode === "long") return LONG_TESTS;
  if (mode === "faults" || mode === "nightly") return testsOf(mode);
  return [mode, ...rest].map((file) => resolve(file));
}

if (mode === "faults") forgetRows();
const concurrency = Math.ceil(availableParallelism() * FILES_PER_PROCESSOR);

run({ files: wanted().map(runnable), concurrency, timeout: mode === "long" ? LONG_TIMEOUT_MS : TIMEOUT_MS })
  .on("test:fail", () => {
    process.exitCode = 1;
  })
  .once("end", () => {
    if (mode === "faults") process.stdout.write(faultTable() ?? "");
  })
  .pipe(new spec())
  .pipe(process.stdout);
