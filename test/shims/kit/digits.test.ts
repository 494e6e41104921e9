import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { megahertzCell, percentCell, celsiusCell, wattsCell } from "../../../src/shims/kit/cells.js";
import { meanOf, shifted, sumOf, withoutNoise } from "../../../src/shims/kit/digits.js";

/** Significant digits of a number as it is printed, or of a decimal text. */
function digitsIn(text: string): number {
  const [mantissa = ""] = text.split("e");
  return mantissa.replace(".", "").replace(/^0+/, "").replace(/0+$/, "").length;
}

/** A decimal as a tool prints one: whole part, and at most six digits after the point. */
const decimal = fc
  .tuple(fc.nat(9_999_999), fc.string({ unit: fc.integer({ min: 0, max: 9 }).map(String), maxLength: 6 }))
  .map(([whole, fraction]) => (fraction === "" ? String(whole) : `${String(whole)}.${fraction}`));

const CONVERSIONS = [
  ...["W", "mW", "uW", "µW", "kW", ""].map((unit) => [unit, wattsCell] as const),
  ...["MHz", "GHz", "kHz", ""].map((unit) => [unit, megahertzCell] as const),
  ...["C", "°C", ""].map((unit) => [unit, celsiusCell] as const),
  ...["%", ""].map((unit) => [unit, percentCell] as const),
];

describe("digits", () => {
  test("a converted unit has no more digits than were printed, and the same digits", () => {
    for (const [unit, read] of CONVERSIONS)
      fc.assert(
        fc.property(decimal, fc.constantFrom("", " "), (printed, blank) => {
          const value = read(`${printed}${unit === "" ? "" : blank}${unit}`);
          if (value === null) return;
          assert.ok(digitsIn(String(value)) <= digitsIn(printed), `${printed} ${unit} is ${String(value)}`);
        }),
      );
  });

  test("a shift and its reverse give the same number", () => {
    fc.assert(
      fc.property(decimal.map(Number), fc.constantFrom(-6, -3, 3, 6), (value, power) => {
        assert.equal(shifted(shifted(value, power), -power), value);
      }),
    );
  });

  const cases: readonly (readonly [string, unknown, unknown])[] = [
    ["5842 mW", wattsCell("5842mW"), 5.842],
    ["4729 mW", wattsCell("4729 mW"), 4.729],
    ["17521801 uW", wattsCell("17521801uW"), 17.521801],
    ["1.1 kW", wattsCell("1.1kW"), 1100],
    ["2.3 GHz", megahertzCell("2.3GHz"), 2300],
    ["1305001 kHz", megahertzCell("1305001kHz"), 1305.001],
    ["a tiny number", shifted(1e-7, -3), 1e-10],
    ["a sum of tiles", sumOf([61.1, 60.3, 0.2]), 121.6],
    ["a mean of whole percents", meanOf([33, 33, 34]), 33.33],
    ["a mean of decimals", meanOf([0.1, 0.2]), 0.15],
    ["a mean of none", meanOf([]), null],
    ["single precision", withoutNoise(47.599998474121094), 47.6],
    ["double noise", withoutNoise(5.8420000000000005), 5.842],
    ["noise below", withoutNoise(0.30000000000000004), 0.3],
    ["a true double", withoutNoise(0.4183874317685982), 0.4183874317685982],
    ["a whole number", withoutNoise(2 ** 53), 2 ** 53],
  ];
  for (const [name, actual, expected] of cases) test(name, () => assert.deepEqual(actual, expected));
});
