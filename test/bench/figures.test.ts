import assert from "node:assert/strict";
import { test } from "node:test";
import { exponentOf, inTurn, Rounds, slopeOf, spreadOf } from "../../bench/measure/figures.js";
import type { Figure } from "../../bench/measure/figures.js";
import { isKept, tableOf } from "../../bench/report.js";
import { plot } from "../../bench/plot.js";
import { judge, THRESHOLDS } from "../../bench/thresholds.js";

const figure = (id: string, values: readonly number[]): Figure => ({
  id,
  what: `<${id}>`,
  unit: "x",
  values,
});

test("the spread of an odd and an even number of runs", () => {
  assert.deepEqual(spreadOf([3, 1, 2]), { min: 1, median: 2, max: 3 });
  assert.deepEqual(spreadOf([4, 1, 2, 3]), { min: 1, median: 2.5, max: 4 });
});

test("ratios are of the same round, and rounds that one of the two missed have none", () => {
  const rounds = new Rounds();
  for (const value of [2, 4]) rounds.add("a", value);
  for (const value of [4, 4, 4]) rounds.add("b", value);
  assert.deepEqual(rounds.ratios("a", "b"), [0.5, 1]);
  assert.deepEqual(rounds.ratios("a", "nobody"), []);
  rounds.skip("a");
  rounds.add("a", 8);
  rounds.add("b", 16);
  assert.deepEqual(rounds.ratios("a", "b"), [0.5, 1, 0.5]);
  assert.deepEqual(rounds.of("a"), [2, 4, 8]);
});

test("growth is the exponent, a session's share the slope", () => {
  const points = [100, 300, 1000, 2000].map((x) => [x, 7 * x ** 1.25] as const);
  assert.ok(Math.abs(exponentOf(points) - 1.25) < 1e-9);
  assert.ok(Math.abs(slopeOf([100, 200, 400].map((x) => [x, 50_000 + 64 * x] as const)) - 64) < 1e-9);
});

test("each round begins with another one", () => {
  assert.deepEqual(
    [0, 1, 2, 3].map((round) => inTurn(["a", "b", "c"], round)[0]),
    ["a", "b", "c", "a"],
  );
});

test("a threshold is judged by the median, and a figure without one is free", () => {
  for (const { id, atMost } of THRESHOLDS) {
    assert.equal(judge(figure(id, [atMost, atMost, atMost * 10])).kind, "kept", id);
    assert.equal(judge(figure(id, [0, atMost + 1, atMost + 1])).kind, "missed", id);
  }
  assert.equal(judge(figure("nobody", [1e9])).kind, "free");
  assert.equal(new Set(THRESHOLDS.map(({ id }) => id)).size, THRESHOLDS.length);
});

test("a missed threshold is in the table and breaks the run; so does one that is not a number", () => {
  const id = "steady.client-us";
  assert.ok(isKept({ figures: [figure(id, [150])] }));
  assert.ok(!isKept({ figures: [figure(id, [151])] }));
  assert.ok(!isKept({ figures: [figure(id, [])] }));
  assert.match(tableOf({ figures: [figure(id, [151])], notes: ["a note"] }), /151.*<= 150 +MISSED/);
  assert.match(tableOf({ figures: [] }), /not measured in this run: .*steady\.client-us/);
});

test("a plot is one SVG with every judged figure, its text escaped", () => {
  const points = [
    [10, 1],
    [2000, 300],
  ] as const;
  const svg = plot({
    figures: [figure("steady.client-us", [100, 120, 200])],
    series: [{ id: "s", what: "a & b", unit: "ms", points }],
  });
  assert.match(svg, /^<svg .*<\/svg>\n$/s);
  assert.match(svg, /&lt;steady\.client-us&gt;/);
  assert.match(svg, /a &amp; b/);
  assert.doesNotMatch(svg, /NaN|undefined/);
});
