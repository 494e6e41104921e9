import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
  booleanCell,
  bytesCell,
  celsiusCell,
  integerCell,
  megahertzCell,
  numberCell,
  percentCell,
  presentTexts,
  textCell,
  wattsCell,
} from "../../../src/shims/kit/cells.js";
import { isMissing } from "../../../src/shims/kit/no-value.js";

const SENTINELS = [
  "",
  " ",
  "N/A",
  "[N/A]",
  "n/a",
  "[Not Supported]",
  "Not Supported",
  "[Unknown Error]",
  "[Insufficient Permissions]",
  "[GPU is lost]",
  "[GPU requires reset]",
  "[Requested functionality has been deprecated]",
  "[Function Not Found]",
  "[Not Found]",
  "ERR!",
  "N/A (Secondary die)",
  "-",
  "nan",
];
const NUMERIC = { numberCell, integerCell, percentCell, celsiusCell, wattsCell, megahertzCell };

describe("cells", () => {
  test("every sentinel is missing and null in every kind of cell", () => {
    for (const cell of SENTINELS) {
      assert.ok(isMissing(cell), cell);
      assert.equal(textCell(cell), null, cell);
      assert.equal(bytesCell(cell, "MiB"), null, cell);
      assert.equal(booleanCell(cell), null, cell);
      for (const [name, parse] of Object.entries(NUMERIC)) assert.equal(parse(cell), null, `${name} ${cell}`);
    }
  });

  const cases: readonly [string, unknown, unknown][] = [
    ["percent", percentCell("85"), 85],
    ["percent with its sign", percentCell("85 %"), 85],
    ["a real zero stays", percentCell("0 %"), 0],
    ["above a hundred", percentCell("65535"), null],
    ["-1", percentCell(-1), null],
    ["celsius", celsiusCell("36C"), 36],
    ["celsius with a degree sign", celsiusCell("41.33°C"), 41.33],
    ["a rail that is off", celsiusCell("-256C"), null],
    ["fahrenheit is not celsius", celsiusCell("36 F"), null],
    ["watts", wattsCell(" 631.95 W"), 631.95],
    ["milliwatts", wattsCell("4667mW"), 4.667],
    ["microwatts", wattsCell("17521800uW"), 17.5218],
    ["gigahertz", megahertzCell("1.5 GHz"), 1500],
    ["megahertz", megahertzCell("1980 MHz"), 1980],
    ["mebibytes by default", bytesCell("81559", "MiB"), 81559 * 1024 ** 2],
    ["its own unit wins", bytesCell("2 GiB", "MiB"), 2 * 1024 ** 3],
    ["MB is binary", bytesCell("202 MB", "B"), 202 * 1024 ** 2],
    ["a fraction", bytesCell("18.45 GiB", "B"), 19_810_536_653],
    ["2^64 - 1", bytesCell("18446744073709551615", "B"), null],
    ["too much for a double", bytesCell("9007199254740991", "GiB"), null],
    ["text is trimmed", textCell("  A10 \r"), "A10"],
    ["text is cleaned", textCell("A\u001b[31m10"), "A\ufffd[31m10"],
    ["a number as text", textCell(12), "12"],
    ["NaN as text", textCell(Number.NaN), null],
    ["a word in a number", numberCell("12 apples of 3"), null],
    ["two numbers", numberCell("12 13"), null],
    ["a hex number", numberCell("0x10"), null],
    ["an integer with a unit", integerCell("3 W"), null],
    ["a fraction is no integer", integerCell("3.5"), null],
    ["enabled", booleanCell("Enabled"), true],
    ["not active", booleanCell("Not Active"), false],
    ["a word", booleanCell("Pending"), null],
    ["an object", numberCell({}), null],
  ];
  for (const [name, actual, expected] of cases) test(name, () => assert.deepEqual(actual, expected));

  test("presentTexts leaves out what is null or empty", () => {
    assert.deepEqual(presentTexts({ a: "x", b: null, c: "" }), { a: "x" });
  });

  test("any value gives a finite number >= 0 or null, and a zero only where a zero was printed", () => {
    const anything = fc.oneof(fc.string(), fc.double(), fc.anything(), fc.constantFrom(...SENTINELS));
    fc.assert(
      fc.property(anything, (raw) => {
        for (const parse of [...Object.values(NUMERIC), (cell: unknown) => bytesCell(cell, "B")]) {
          const value = parse(raw);
          if (value === null) continue;
          assert.ok(Number.isFinite(value) && value >= 0);
          if (value === 0) assert.match(String(raw), /\d/);
        }
        const text = textCell(raw);
        if (text !== null) assert.doesNotMatch(text, /[\u0000-\u001f\u007f-\u009f]/);
      }),
    );
  });
});
