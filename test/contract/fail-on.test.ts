import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { conditionHolds, parseFailCondition } from "../../src/contract/fail-on.js";
import type { StreamRecord } from "../../src/contract/record.js";
import { frame, gpu, state } from "../support/records.js";

const hot = frame({ gpus: [gpu({ temperature: 60 }), gpu({ index: 1, temperature: 90, name: null })] });
const lost = state({ state: "timeout", tick: 3 });
const transition = state({ state: "timeout", tick: null });
const noGpu = frame({ gpus: [] });

function holds(text: string, record: StreamRecord): boolean {
  const parsed = parseFailCondition(text);
  assert.equal(parsed.kind, "condition", text);
  return conditionHolds(parsed.condition, record);
}

describe("a condition", () => {
  const cases: [text: string, record: StreamRecord, expected: boolean][] = [
    ["gpu.temperature>85", hot, true],
    ["gpu.temperature > 90", hot, false],
    ["gpu.temperature>=90", hot, true],
    ["gpus.temperature<61", hot, true],
    ["gpu.temperature<=59.5", hot, false],
    ["gpu.1.temperature==90", hot, true],
    ["gpu.0.temperature==90", hot, false],
    ["gpu.name==null", hot, true],
    ["gpu.name!=null", hot, true],
    ["gpu.nothing>0", hot, false],
    ["gpu.nothing<0", hot, false],
    ["gpu.nothing!=5", hot, false],
    ["gpu.nothing==null", hot, true],
    ["gpu.temperature>0", noGpu, false],
    ["gpu.temperature==null", noGpu, false],
    ["gpu.temperature>85", lost, false],
    ["gpu.temperature==null", lost, true],
    ["state!=connected", hot, false],
    ["state!=connected", lost, true],
    ["state=timeout", lost, true],
    ["state!=connected", transition, false],
    ["gpu.mig_mode=true", frame({ gpus: [gpu({ mig_mode: true })] }), true],
    ["gpu.mig_mode=true", frame({ gpus: [gpu({ mig_mode: null })] }), false],
    [
      "gpu.throttle_reasons=hw_slowdown",
      frame({ gpus: [gpu({ throttle_reasons: ["a", "hw_slowdown"] })] }),
      true,
    ],
    ["labels.rack='r 1'", frame({ labels: { rack: "r 1" } }), true],
    ["last_error.code=connect-timeout", lost, true],
    ["errors.section==gpu", frame({ errors: [{ section: "gpu", kind: "error", message: "x" }] }), true],
    ["latency_ms>1000", hot, false],
  ];
  for (const [text, record, expected] of cases) {
    test(`${text} ${expected ? "holds" : "does not hold"}`, () =>
      assert.equal(holds(text, record), expected));
  }
});

describe("no condition is", () => {
  for (const text of [
    "",
    "gpu",
    "gpu.temperature",
    ">85",
    "gpu.temperature>",
    "gpu.temperature>hot",
    "gpu.temperature>null",
    "gpu.temperature=>85",
    "gpu.temperature<>85",
    "gpuu.temperature>85",
    "a b>1",
    "gpu..temperature>1",
    "state='open",
    "__proto__.x==1",
  ]) {
    test(JSON.stringify(text), () => {
      const parsed = parseFailCondition(text);
      assert.equal(parsed.kind, "problem");
      assert.ok(parsed.problem.includes(";"), parsed.problem);
    });
  }
});

test("parsing never throws", () => {
  fc.assert(
    fc.property(fc.string(), fc.constantFrom("", "gpu.", "state=", "gpu.a>"), (text, start) => {
      const parsed = parseFailCondition(start + text);
      if (parsed.kind === "condition") assert.equal(typeof conditionHolds(parsed.condition, hot), "boolean");
      else assert.doesNotMatch(parsed.problem, /[\u0000-\u001f]/);
    }),
  );
});
