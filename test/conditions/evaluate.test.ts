import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { matchesOf, truthFor, truthIn } from "../../src/conditions/evaluate.js";
import type { Truth } from "../../src/conditions/truth.js";
import type { Condition } from "../../src/contract/condition.js";
import type { FieldNames } from "../../src/conditions/literal.js";
import { parseCondition } from "../../src/conditions/parse.js";
import type { StreamRecord } from "../../src/contract/record.js";
import { frame, gpu, state } from "../support/records.js";

/** Every field there is, but that devices have no labels. */
const ANY_FIELD: FieldNames = {
  problemOf: (section, keys) => (section !== null && keys[0] === "labels" ? "no labels" : null),
  valuesOf: () => ({ kind: "any" }),
};

function condition(text: string): Condition {
  const parsed = parseCondition(text, ANY_FIELD);
  assert.equal(parsed.kind, "condition", parsed.kind === "problem" ? parsed.problem : "");
  return parsed.condition;
}

const hot = frame({
  gpus: [gpu({ temperature: 60 }), gpu({ index: 1, temperature: 90, name: null, utilization: 3 })],
  labels: { rack: "r 1", "expect.gpus": "8" },
});
const lost = state({ state: "timeout", tick: 3 });
const noGpu = frame({ gpus: [] });
const unread = frame({
  gpus: [gpu({ temperature: null, utilization: null }), gpu({ index: 1, temperature: 40 })],
});

describe("a condition", () => {
  const cases: [text: string, record: StreamRecord, expected: Truth][] = [
    ["gpu.temperature>85", hot, true],
    ["gpu.temperature > 90", hot, false],
    ["gpus.temperature<61", hot, true],
    ["gpu.1.temperature==90", hot, true],
    ["gpu.0.temperature==90", hot, false],
    ["gpu.name==null", hot, true],
    ["gpu.name!=null", hot, true],
    ["gpu.temperature>0", noGpu, null],
    ["gpu.temperature==null", noGpu, null],
    ["not gpu.temperature>0", noGpu, null],
    ["gpu.temperature>85", lost, null],
    ["gpu.temperature==null", lost, true],
    ["state!=connected", hot, false],
    ["state = timeout", lost, true],
    ["state in (timeout, unreachable)", lost, true],
    ["state in (auth-failed)", lost, false],
    ["labels.rack='r 1'", hot, true],
    ["labels.rack = r 1 and state = connected", hot, true],
    ["labels.expect.gpus = '8'", hot, true],
    // Both about the same GPU.
    ["gpu.temperature > 85 and gpu.utilization < 5", hot, true],
    ["gpu.temperature < 61 and gpu.utilization < 5", hot, false],
    ["gpu.temperature > 85 or state != connected", lost, true],
    ["not gpu.temperature > 85", hot, true],
    ["not gpu.temperature > 30", unread, null],
    ["not (gpu.temperature > 30 or gpu.temperature < 10)", hot, false],
    ["gpu.temperature > 85", unread, null],
    ["count(gpus) < 8", hot, true],
    ["count(gpus) = 2", hot, true],
    ["count(gpus) < 8", lost, null],
    ["count(gpus) = 0", noGpu, true],
    ["count(gpus where utilization < 5) > 0", hot, true],
    ["count(gpus where temperature > 30) >= 1", unread, true],
    ["count(gpus where temperature > 30) >= 2", unread, null],
    ["count(gpus where temperature > 30) > 2", unread, false],
    ["count(gpus where temperature > 30 and labels.rack = 'r 1') = 2", hot, true],
    ["NOT state = connected", hot, false],
  ];
  for (const [text, record, expected] of cases) {
    test(`${text}: ${expected === null ? "unknown" : expected}`, () =>
      assert.equal(truthIn(condition(text), record), expected));
  }
});

describe("a match names the device and the readings", () => {
  const cases: [text: string, record: StreamRecord, device: string | null, reason: string][] = [
    ["gpu.temperature > 85", hot, "gpu 1", "temperature 90 > 85"],
    [
      "gpu.temperature > 85 and gpu.utilization < 5",
      hot,
      "gpu 1",
      "temperature 90 > 85 and utilization 3 < 5",
    ],
    ["state != connected", lost, null, "state timeout != connected"],
    ["count(gpus) < 8", hot, null, "count(gpus) 2 < 8"],
    ["gpu.temperature > 99 or gpu.name = null", hot, "gpu 1", "name null == null"],
    ["not gpu.temperature > 85", hot, "gpu 0", "not gpu.temperature > 85"],
    ["state in (timeout, unreachable)", lost, null, "state timeout in (timeout, unreachable)"],
  ];
  for (const [text, record, device, reason] of cases) {
    test(text, () => assert.deepEqual(matchesOf(condition(text), record, 5), [{ device, reason }]));
  }
  test("as many as asked for", () => {
    assert.equal(matchesOf(condition("gpu.temperature > 0"), hot, 1).length, 1);
    assert.equal(matchesOf(condition("gpu.temperature > 0"), hot, 9).length, 2);
  });
});

type Readings = Readonly<Record<string, number | null>>;

// A second evaluator, straight from the definition: over one GPU, with JavaScript's own operators.
describe("against a plain evaluator", () => {
  const field = fc.constantFrom("temperature", "utilization");
  const leaf = fc
    .tuple(field, fc.constantFrom(">", ">=", "<", "<=", "==", "!="), fc.integer({ min: 0, max: 4 }))
    .map(([name, operator, literal]) => ({
      text: `gpu.${name} ${operator} ${literal}`,
      truth: (device: Readings): Truth => {
        const value = device[name] ?? null;
        if (value === null) return null;
        const orders: Readonly<Record<string, boolean>> = {
          ">": value > literal,
          ">=": value >= literal,
          "<": value < literal,
          "<=": value <= literal,
          "==": value === literal,
          "!=": value !== literal,
        };
        return orders[operator] ?? null;
      },
    }));
  type Tree = { text: string; truth: (device: Readings) => Truth };
  const rank = (truth: Truth): number => (truth === null ? 1 : truth ? 2 : 0);
  const unrank = (value: number): Truth => (value === 1 ? null : value === 2);
  const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      leaf,
      fc.tuple(tie("tree"), tie("tree")).map(([a, b]) => ({
        text: `(${a.text} and ${b.text})`,
        truth: (device: Readings) => unrank(Math.min(rank(a.truth(device)), rank(b.truth(device)))),
      })),
      fc.tuple(tie("tree"), tie("tree")).map(([a, b]) => ({
        text: `(${a.text} or ${b.text})`,
        truth: (device: Readings) => unrank(Math.max(rank(a.truth(device)), rank(b.truth(device)))),
      })),
      tie("tree").map((a) => ({
        text: `not (${a.text})`,
        truth: (device: Readings) => unrank(2 - rank(a.truth(device))),
      })),
    ),
  }));
  const reading = fc.option(fc.integer({ min: 0, max: 4 }), { nil: null });
  test("each GPU has the same truth, and a match has a reason", () => {
    fc.assert(
      fc.property(
        tree,
        fc.array(fc.record({ temperature: reading, utilization: reading }), { minLength: 1, maxLength: 3 }),
        (made, readings) => {
          const record = frame({ gpus: readings.map((each, index) => gpu({ index, ...each })) });
          const parsed = condition(made.text);
          const truths = readings.map(made.truth);
          const expected = truths.includes(true) ? true : truths.includes(null) ? null : false;
          assert.equal(truthIn(parsed, record), expected);
          const matches = matchesOf(parsed, record, 10);
          assert.deepEqual(
            matches.map(({ device }) => device),
            truths.flatMap((truth, index) => (truth === true ? [`gpu ${index}`] : [])),
          );
          for (const { reason } of matches) assert.notEqual(reason, "");
        },
      ),
    );
  });
});

describe("a condition on one device", () => {
  const at = (position: number): Parameters<typeof truthFor>[2] => {
    const device = hot.gpus?.[position];
    assert.ok(device !== undefined);
    return { section: "gpu", device: { ...device }, position };
  };
  const cases: [text: string, first: Truth, second: Truth, none: Truth][] = [
    ["gpu.temperature > 85", false, true, null],
    ["not gpu.temperature > 85", true, false, null],
    ["gpu.temperature > 85 or state == connected", true, true, true],
    ["cpu.utilization > 5", null, null, null],
    ["gpu.temperature > 85 or cpu.utilization > 5", null, true, null],
    ["count(gpus) == 2", true, true, true],
  ];
  for (const [text, first, second, none] of cases) {
    test(text, () => {
      const truths = [at(0), at(1), null].map((each) => truthFor(condition(text), hot, each));
      assert.deepEqual(truths, [first, second, none]);
    });
  }
});
