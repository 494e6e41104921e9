/** What counts as growth over a soak. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { GAUGES, trendsOf, type Gauge, type Reading } from "./gauges.js";

const COUNT = 120;

/** Readings five seconds apart, all gauges alike. */
function readingsOf(valueAt: (index: number) => number): readonly Reading[] {
  return Array.from({ length: COUNT }, (_, index) => {
    const values = GAUGES.map((gauge): [Gauge, number] => [gauge, valueAt(index)]);
    return { secs: index * 5, ...(Object.fromEntries(values) as Record<Gauge, number>) };
  });
}

const grown = (readings: readonly Reading[]): readonly Gauge[] =>
  trendsOf(readings)
    .filter(({ growth, allowed }) => !(growth <= allowed))
    .map(({ gauge }) => gauge);

describe("growth of a soak's gauges", () => {
  const flat: readonly (readonly [string, (index: number) => number])[] = [
    ["the same all the time", () => 500],
    ["code that is compiled at first", (index) => (index < 15 ? 300 : 500)],
    ["a third of the time with half of the hosts lost", (index) => (index > 30 && index < 70 ? 250 : 500)],
    ["ten high readings", (index) => (index % 12 === 0 ? 1000 : 500)],
  ];
  for (const [what, valueAt] of flat)
    test(`none: ${what}`, () => {
      assert.deepEqual(grown(readingsOf(valueAt)), []);
    });

  test("of each gauge, where as much again leaks as there was", () => {
    assert.deepEqual(grown(readingsOf((index) => 500 + (500 * index) / COUNT)), GAUGES);
  });

  test("readings of too short a time are no proof", () => {
    assert.deepEqual(grown([]), GAUGES);
  });
});
