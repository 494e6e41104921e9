import assert from "node:assert/strict";
import { test } from "node:test";
import { floodEnd } from "../../src/remote/answer-bounds.js";

const MIB = 1024 ** 2;
const lines = (count: number): string => "613\n".repeat(count);

const CASES: readonly { readonly what: string; readonly answer: string; readonly flood: string | null }[] = [
  { what: "nothing", answer: "", flood: null },
  { what: "as many lines as are read", answer: lines(100_000), flood: null },
  { what: "a line more", answer: lines(100_001), flood: "more than 100000 lines" },
  { what: "one long line", answer: "x".repeat(8 * MIB), flood: null },
  { what: "a longer one", answer: "x".repeat(8 * MIB + 1), flood: "more than 8 MiB" },
  { what: "more of both", answer: lines(3 * MIB), flood: "more than 8 MiB" },
];

for (const { what, answer, flood } of CASES) {
  test(what, () => {
    const end = flood === null ? null : { kind: "flooded", what: flood };
    // What stands around an answer is not of it.
    const bytes = Buffer.from(`before\n\n${answer}${lines(4)}`);
    assert.deepEqual(floodEnd(bytes, 8, 8 + answer.length), end);
  });
}
