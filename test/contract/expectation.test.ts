import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { isExpected, parseExpectation } from "../../src/contract/expectation.js";

function holds(text: string, value: string): boolean {
  const parsed = parseExpectation(text);
  assert.equal(parsed.kind, "expectation", text);
  return isExpected(parsed.expectation, value);
}

describe("an expectation", () => {
  const cases: [text: string, value: string, expected: boolean][] = [
    ["gpus=8", "8", true],
    ["gpus=8", "7", false],
    ["gpus=8", "18", false],
    ["gpus=4..8", "4", true],
    ["gpus=4..8", "9", false],
    ["gpus=>=4", "16", true],
    ["gpus=>=4", "3", false],
    ["driver=580.95.05", "580.95.05", true],
    ["driver=580.95.05", "580.95.5", false],
    ["driver=580.*", "580.95.05", true],
    ["driver=580.*", "570.1", false],
    ["driver=>=580.65", "580.9", false],
    ["driver=>=580.65", "580.126.09", true],
    ["driver=<=580", "580.95.05", true],
    ["driver=<=580", "581.1", false],
    ["driver=570.0..580.65", "575.57.08", true],
    ["driver=..580", "470.1", true],
    ["driver=580..", "575.1", false],
    ["driver=>=580", "unknown", false],
    ["gpu=*H100*", "NVIDIA H100 80GB HBM3", true],
    ["gpu=*H100*", "NVIDIA H200", false],
    ["vbios=96.00.89.00.0?", "96.00.89.00.01", true],
  ];
  for (const [text, value, expected] of cases) {
    test(`${text} ${expected ? "takes" : "refuses"} ${value}`, () =>
      assert.equal(holds(text, value), expected));
  }
});

describe("no expectation is", () => {
  const cases: [text: string, problem: RegExp][] = [
    ["", /is not one of gpus, gpu, driver, vbios/],
    ["gpu_count=8", /is not one of/],
    ["gpus", /has no value; write KEY=VALUE/],
    ["gpus=", /has no value/],
    ["gpus=many", /takes a number of GPUs/],
    ["gpu=8", /takes the name of a model, .*; gpus=8 expects so many GPUs$/],
    ["gpus=..", /range whose ends are no versions/],
    ["driver=a..b", /range whose ends are no versions/],
    ["driver=>=new", /range whose ends are no versions/],
  ];
  for (const [text, problem] of cases) {
    test(text === "" ? "empty" : text, () => {
      const parsed = parseExpectation(text);
      assert.equal(parsed.kind, "problem");
      assert.match(parsed.problem, problem);
    });
  }
});

test("a version is in the range from itself to itself, and in no range that ends before it", () => {
  const version = fc.array(fc.nat(999), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(version, version, (a, b) => {
      const [first, second] = [a.join("."), b.join(".")];
      assert.ok(holds(`driver=${first}..${first}`, first));
      if (a.length !== b.length) return;
      const isBefore = holds(`driver=<=${second}`, first);
      const isAfter = holds(`driver=>=${second}`, first);
      assert.ok(isBefore || isAfter);
      assert.equal(isBefore && isAfter, first === second);
    }),
  );
});
