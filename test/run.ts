/**
 * Runs the tests as `node --test` does, each file in a process of its own, but several files at a time for each processor,
 * since most of them wait for programs. Exit status 1 where a test failed.
 *
 *   node --import tsx test/run.ts            every test
 *   node --import tsx test/run.ts quick      the working loop: the quick tests, with a fifth of the properties' runs
 *   node --import tsx test/run.ts FILE...    these files
 */
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { allTests, QUICK_HALVES } from "./test-files.js";

const FILES_PER_PROCESSOR = 2;
const TIMEOUT_MS = 300_000;

const args = process.argv.slice(2);
const isQuick = args[0] === "quick";
if (isQuick) process.env["PROPERTY_RUNS"] ??= "0.2";

const files = isQuick ? QUICK_HALVES : args.length > 0 ? args.map((file) => resolve(file)) : allTests();
const concurrency = Math.ceil(availableParallelism() * FILES_PER_PROCESSOR);

run({ files: [...files], concurrency, timeout: TIMEOUT_MS })
  .on("test:fail", () => {
    process.exitCode = 1;
  })
  .pipe(new spec())
  .pipe(process.stdout);
