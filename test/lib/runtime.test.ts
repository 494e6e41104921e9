import assert from "node:assert/strict";
import { test } from "node:test";
import { runtimeProblem, type RuntimeFacts } from "../../src/lib/runtime.js";

const NEEDS = "allsmi-ssh needs Node.js 20.19 or newer; this is ";
const CASES: readonly (readonly [name: string, RuntimeFacts, problem: string | null])[] = [
  ["the oldest that will do", { versions: { node: "20.19.0" }, globals: {} }, null],
  ["a newer minor", { versions: { node: "22.1.0" }, globals: {} }, null],
  ["this one", { versions: process.versions, globals: globalThis }, null],
  ["a preview", { versions: { node: "27.0.0-nightly" }, globals: {} }, null],
  ["a minor too old", { versions: { node: "20.9.0" }, globals: {} }, `${NEEDS}Node.js 20.9.0`],
  ["a major too old", { versions: { node: "18.20.4" }, globals: {} }, `${NEEDS}Node.js 18.20.4`],
  ["before 1.0", { versions: { node: "0.12.18" }, globals: {} }, `${NEEDS}Node.js 0.12.18`],
  [
    "Bun, which also reports a version of Node.js",
    { versions: { node: "24.3.0", bun: "1.2.9" }, globals: {} },
    `${NEEDS}Bun 1.2.9`,
  ],
  ["Bun, only by its global", { versions: { node: "24.3.0" }, globals: { Bun: {} } }, `${NEEDS}Bun`],
  ["Deno", { versions: { node: "22.4.0", deno: "2.2.1" }, globals: { Deno: {} } }, `${NEEDS}Deno 2.2.1`],
  ["Deno, only by its global", { versions: { node: "22.4.0" }, globals: { Deno: {} } }, `${NEEDS}Deno`],
  ["something without a version", { versions: {}, globals: {} }, `${NEEDS}Node.js 0`],
];

for (const [name, facts, problem] of CASES) {
  test(name, () => assert.equal(runtimeProblem(facts), problem));
}
