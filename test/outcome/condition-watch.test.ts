import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseCondition } from "../../src/conditions/parse.js";
import type { StreamRecord } from "../../src/contract/record.js";
import { ConditionWatch } from "../../src/outcome/condition-watch.js";
import { frame, gpu, state } from "../support/records.js";

function watch(...texts: readonly string[]): ConditionWatch {
  return new ConditionWatch(
    texts.map((text) => {
      const parsed = parseCondition(text, { problemOf: () => null, valuesOf: () => ({ kind: "any" }) });
      assert.equal(parsed.kind, "condition");
      return parsed.condition;
    }),
  );
}

const at = (tick: number, temperatures: readonly (number | null)[], hostname = "a"): StreamRecord =>
  frame({ hostname, tick, gpus: temperatures.map((temperature, index) => gpu({ index, temperature })) });

test("a match names condition, device and reading; a transition between ticks is none", () => {
  const conditions = watch("gpu.temperature > 85", "state != connected");
  assert.deepEqual(conditions.take(at(0, [60, 90])), [
    { condition: "gpu.temperature > 85", device: "gpu 1", reason: "temperature 90 > 85" },
  ]);
  assert.deepEqual(conditions.take(state({ tick: null })), []);
  assert.deepEqual(conditions.take(state({ tick: 1 })), [
    { condition: "state != connected", device: null, reason: "state timeout != connected" },
  ]);
});

describe("for 3 ticks", () => {
  const held = (records: readonly StreamRecord[]): readonly (readonly (string | null)[])[] => {
    const conditions = watch("gpu.temperature > 85 for 3 ticks");
    return records.map((record) => conditions.take(record).map(({ device }) => device));
  };
  test("holds from the third record in a row, of each device by itself", () => {
    const records = [at(0, [90, 90]), at(1, [90, 60]), at(2, [90, 90]), at(3, [90, 90]), at(4, [90, 90])];
    assert.deepEqual(held(records), [[], [], ["gpu 0"], ["gpu 0"], ["gpu 0", "gpu 1"]]);
  });
  test("a reading that is missing, or a tick without a frame, breaks it", () => {
    const records = [at(0, [90]), at(1, [90]), at(2, [null]), at(3, [90]), at(4, [90]), at(5, [90])];
    assert.deepEqual(held(records), [[], [], [], [], [], ["gpu 0"]]);
    const lost = state({ hostname: "a", tick: 2 });
    assert.deepEqual(held([at(0, [90]), at(1, [90]), lost, at(3, [90])]), [[], [], [], []]);
  });
  test("hosts do not count for each other", () => {
    assert.deepEqual(held([at(0, [90]), at(0, [90], "b"), at(1, [90]), at(1, [90], "b")]), [[], [], [], []]);
  });
});

describe("fields that nothing ever had a reading of", () => {
  const cases: [text: string, records: readonly StreamRecord[], fields: readonly string[]][] = [
    ["gpu.temperature > 85", [at(0, [null]), at(1, [null])], ["gpu.temperature"]],
    ["gpu.temperature > 85", [at(0, [null]), at(1, [50])], []],
    ["gpu.temperature > 85", [], ["gpu.temperature"]],
    ["gpu.temperature == null", [at(0, [null])], []],
    ["gpu.error = lost", [at(0, [50])], []],
    ["last_error.code = timeout", [at(0, [50])], []],
    ["labels.rak = a", [at(0, [50])], ["labels.rak"]],
    [
      "count(gpus where temperature > 3) > 0",
      [state()],
      ["count(gpus where temperature > 3)", "temperature"],
    ],
    ["count(gpus) < 8", [at(0, [])], []],
  ];
  for (const [text, records, fields] of cases) {
    test(`${text} over ${records.length} records: ${fields.length === 0 ? "none" : fields.join(", ")}`, () => {
      const conditions = watch(text);
      for (const record of records) conditions.take(record);
      assert.deepEqual(
        conditions.unread().map(({ field }) => field),
        fields,
      );
    });
  }
});
