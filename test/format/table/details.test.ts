/** What is wrong, below the table. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { detailLines } from "../../../src/format/table/details.js";
import { createLook } from "../../../src/format/table/look.js";
import type { Problem } from "../../../src/format/table/problems.js";
import { textWidth, wrapText } from "../../../src/format/table/text-width.js";

const look = createLook(false);
const problem = (place: string, text: string, fix: string | null = null): Problem => ({
  places: [place],
  kind: "critical",
  text,
  fix,
});
const SHORT = [problem("a", "lost", "reset it"), problem("b", "hot"), problem("c", "slow", "look")];
const LONG = problem(
  "long",
  "one two three four five six seven eight nine ten",
  "do this and that and more of it",
);

describe("details", () => {
  const cases: readonly [
    what: string,
    problems: readonly Problem[],
    rows: number,
    lines: readonly string[],
  ][] = [
    ["all that fit", SHORT, 5, ["a: lost", "  fix: reset it", "b: hot", "c: slow", "  fix: look"]],
    ["whole ones, and how many more", SHORT, 4, ["a: lost", "  fix: reset it", "b: hot", "1 more problem"]],
    ["a count where there is one line", SHORT, 1, ["3 problems"]],
    ["nothing without a line", SHORT, 0, []],
    [
      "shorter ones in the place of one that is too long",
      [LONG, ...SHORT],
      3,
      ["a: lost", "  fix: reset it", "3 more problems"],
    ],
    [
      "a part of the first where none fits",
      [LONG],
      3,
      ["long: one two three four five", "  six seven eight nine ten", "  fix: do this and that and"],
    ],
    [
      "a part of the first, and how many more",
      [LONG, LONG],
      2,
      ["long: one two three four five", "1 more problem"],
    ],
  ];
  for (const [what, problems, rows, lines] of cases) {
    test(`has ${what}`, () => {
      const shown = detailLines(problems, 30, rows, look);
      assert.deepEqual(shown, lines);
      assert.ok(shown.length <= rows);
    });
  }
  test("names some of many places", () => {
    const places = Array.from({ length: 40 }, (_, at) => `h${at}`);
    const [line] = detailLines([{ ...problem("", "down"), places }], 80, 9, look);
    assert.equal(line, "h0, h1, h2, h3, h4, 35 more: down");
  });
});

describe("wrapped text", () => {
  const cases: readonly [text: string, width: number, lines: readonly string[]][] = [
    ["one two three", 20, ["one two three"]],
    ["one two three", 8, ["one two", "  three"]],
    ["abcdefghij", 4, ["abcd", "  ef", "  gh", "  ij"]],
    ["", 5, [""]],
    ["日本語 ホスト", 7, ["日本語", "  ホス", "  ト"]],
    ["  fix: go on", 9, ["  fix: go", "  on"]],
  ];
  for (const [text, width, lines] of cases) {
    test(`${JSON.stringify(text)} in ${width} columns`, () => {
      const wrapped = wrapText(text, width, "  ");
      assert.deepEqual(wrapped, lines);
      for (const line of wrapped) assert.ok(textWidth(line) <= width, line);
    });
  }
});
