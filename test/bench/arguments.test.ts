import assert from "node:assert/strict";
import { test } from "node:test";
import { FLAGS, readArguments, usageOf } from "../../bench/arguments.js";
import type { Scenario } from "../../bench/scenarios/scenario.js";

const scenario = (name: string, isOnlyByName: boolean): Scenario => ({
  name,
  about: `about ${name}`,
  isOnlyByName,
  run: () => Promise.reject(new Error("not run here")),
});
const SCENARIOS = [scenario("short", false), scenario("quiet", false), scenario("hour", true)];
const chosenBy = (...args: string[]): unknown =>
  readArguments(args, SCENARIOS)?.chosen.map(({ name }) => name);

test("all short scenarios run, or those that are named, in their order", () => {
  assert.deepEqual(chosenBy(), ["short", "quiet"]);
  assert.deepEqual(chosenBy("--only", "hour,short"), ["short", "hour"]);
});

test("flags become options, and each scenario has its own defaults", () => {
  const options = (...args: string[]): unknown => readArguments(args, SCENARIOS)?.options;
  const none = { hosts: null, runs: null, minutes: null, quick: false, against: null };
  const program = readArguments([], SCENARIOS)?.options.program;
  assert.match(program ?? "", /dist\/start\.cjs$/);
  assert.deepEqual(options(), { ...none, program, server: "recorded", watcher: "main" });
  assert.deepEqual(options("--hosts", "7", "--server=shell", "--quick", "--program", "old.cjs"), {
    ...none,
    hosts: 7,
    quick: true,
    program: "old.cjs",
    server: "shell",
    watcher: "main",
  });
});

const WRONG: readonly (readonly [readonly string[], RegExp])[] = [
  [["--hots", "5"], /--hots/],
  [["--only", "shrt"], /--only: there is no scenario shrt$/],
  [["--hosts", "0"], /^Error: --hosts is a whole number from 1, not 0$/],
  [["--minutes", "1.5"], /^Error: --minutes is a whole number from 1, not 1.5$/],
  [["--server", "fake"], /^Error: --server is recorded or shell, not fake$/],
  [["--watcher", "both"], /^Error: --watcher is main or thread, not both$/],
];
for (const [args, message] of WRONG)
  test(`${args.join(" ")} is refused with a message`, () =>
    assert.throws(() => readArguments(args, SCENARIOS), message));

test("the usage names every flag and every scenario", () => {
  assert.equal(readArguments(["--help"], SCENARIOS), null);
  const usage = usageOf(SCENARIOS);
  assert.match(usage, /^ {2}short +about short$/m);
  assert.match(usage, /^ {2}hour \* +about hour$/m);
  const flags = Object.keys(FLAGS);
  assert.equal(flags.length, 10);
  for (const flag of flags) assert.match(usage, new RegExp(`--${flag}\\b`));
});
