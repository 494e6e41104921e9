import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { KNOWN_FIELDS } from "../../src/conditions/known-fields.js";
import type { FieldNames } from "../../src/conditions/literal.js";
import { parseCondition } from "../../src/conditions/parse.js";

const FIELDS: FieldNames = {
  problemOf: (section, keys) => {
    const known = section === null ? ["state", "labels", "latency_ms"] : ["temperature", "detail", "name"];
    return known.includes(keys[0] ?? "") ? null : `no field "${keys[0] ?? ""}" of a ${section ?? "record"}`;
  },
  valuesOf: (section, keys) =>
    section === null && keys[0] === "state"
      ? { kind: "fixed", values: ["connected", "timeout"] }
      : { kind: "any" },
};

test("the values of booleans and of a record's own fixed texts are checked, those of devices are not", () => {
  const problem = (text: string): string => {
    const parsed = parseCondition(text, KNOWN_FIELDS);
    return parsed.kind === "problem" ? parsed.problem : "";
  };
  assert.match(problem("gpu.mig_mode == yes"), /gpu\.mig_mode is one of true, false; not "yes"/);
  assert.match(problem("not state in (conected)"), /did you mean connected\?/);
  assert.match(problem("last_error.code == connection-refuse"), /did you mean connection-refused\?/);
  for (const text of [
    ...["gpu.mig_mode == true", "gpu.mig_mode != null", "gpu.device_type == NewKind", "state == connected"],
    ...["errors.section == gpu", "health.findings.severity == critical", "labels.rack == 12", "schema == 1"],
  ])
    assert.equal(problem(text), "");
});

test("what stands beside a field of text is text, and a number's field is compared with numbers", () => {
  const literal = (text: string): unknown => {
    const parsed = parseCondition(text, KNOWN_FIELDS);
    if (parsed.kind === "problem") return parsed.problem;
    const { expression } = parsed.condition;
    return expression.kind === "compare" ? expression.literal : null;
  };
  assert.equal(literal("labels.rack == 12"), "12");
  assert.equal(literal("gpu.serial != 1650522003820"), "1650522003820");
  assert.equal(literal("gpu.detail.cuda_version = 12.0"), "12.0");
  assert.equal(literal("labels.spare == true"), "true");
  assert.equal(literal("labels.rack == null"), null);
  assert.equal(literal("gpu.temperature == 85"), 85);
  assert.match(String(literal("gpu.temperature == hot")), /gpu\.temperature is a number, not "hot"/);
});

test("a long condition does not hide what is wrong with it", () => {
  const parsed = parseCondition(`${"not ".repeat(20_000)}gpu.temperature > 85`, FIELDS);
  assert.ok(parsed.kind === "problem" && parsed.problem.length < 700);
  assert.match(parsed.problem, /is nested more than 32 levels deep$/);
});

describe("what is no condition, and why", () => {
  const cases: [text: string, problem: RegExp][] = [
    ["", /it ends where a path is needed; write PATH OPERATOR VALUE/],
    ["gpu.temprature > 85", /no field "temprature" of a gpu/],
    ["gpu.temperature", /an operator .* is needed after gpu\.temperature, before the end/],
    ["gpu.temperature >", /a value is needed before the end/],
    ["state == conected", /state is one of connected, timeout; did you mean connected\?/],
    ["state in (timeout, 5)", /state is one of connected, timeout; not 5/],
    ["gpu.temperature > hot", /gpu\.temperature > takes a number, not "hot"/],
    ["gpu.temperature > 85 and", /it ends where a path is needed/],
    ["(gpu.temperature > 85", /"\)" is needed before the end/],
    ["gpu.temperature > 85)", /"\)" is not expected here/],
    ["gpu.temperature > 85 for", /write how long as "for 3 ticks"/],
    ["gpu.temperature > 85 for 0 ticks", /write how long/],
    ["gpu.temperature > 85 for 3 hours", /write how long/],
    ["count(racks) > 3", /count\(\) takes a section: gpus, cpus/],
    ["count(gpus where pid > 3) > 0", /no field "pid" of a gpu/],
    ["count(gpus where count(gpus) > 3) > 0", /a count cannot stand inside another count/],
    ["count(gpus where cpu.temperature > 3) > 0", /cannot look at the devices of cpu/],
    ["count(gpus) = many", /takes a number, not "many"/],
    ["state in timeout", /"\(" is needed before "timeout"/],
    ["state in (timeout", /"\)" is needed before the end/],
    ["state = and", /a value is needed before "and"/],
    ['state = "open', /the quote at ""open" is not closed/],
    ["gpu.temperature > 1 and cpu.temperature > 1 and memory.name = x", /devices of 3 sections; at most 2/],
    [`${"(".repeat(40)}state = x${")".repeat(40)}`, /nested more than 32 levels/],
    [`${"not ".repeat(40)}state = x`, /nested more than 32 levels/],
  ];
  for (const [text, problem] of cases) {
    test(text === "" ? "empty" : text.slice(0, 60), () => {
      const parsed = parseCondition(text, FIELDS);
      assert.equal(parsed.kind, "problem");
      assert.match(parsed.problem, problem);
    });
  }
});

test("what it takes", () => {
  const parsed = parseCondition(
    `not (gpu.detail."CUDA Version" in ('12.4', 13) or state != connected) for 3 ticks`,
    FIELDS,
  );
  assert.deepEqual(parsed, {
    kind: "condition",
    condition: {
      text: `not (gpu.detail."CUDA Version" in ('12.4', 13) or state != connected) for 3 ticks`,
      sections: ["gpu"],
      ticks: 3,
      expression: {
        kind: "not",
        term: {
          kind: "or",
          terms: [
            {
              kind: "in",
              operand: {
                kind: "field",
                section: "gpu",
                keys: ["detail", "CUDA Version"],
                text: `gpu.detail."CUDA Version"`,
              },
              literals: ["12.4", 13],
            },
            {
              kind: "compare",
              operator: "!=",
              literal: "connected",
              operand: { kind: "field", section: null, keys: ["state"], text: "state" },
            },
          ],
        },
      },
    },
  });
});

test("any text is a condition or a problem on one line, and a condition is plain data", () => {
  const piece = fc.constantFrom(
    "gpu.temperature",
    "state",
    ">",
    "==",
    "in",
    "(",
    ")",
    ",",
    "and",
    "or",
    "not",
    "count(gpus",
    "where",
    "for 3 ticks",
    "85",
    "'a b'",
    "\n",
    '"',
    ".",
  );
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(" ")),
  );
  fc.assert(
    fc.property(text, (typed) => {
      const parsed = parseCondition(typed, FIELDS);
      if (parsed.kind === "problem") assert.match(parsed.problem, /^[^\n\r]+$/);
      else assert.deepEqual(structuredClone(parsed.condition), parsed.condition);
    }),
  );
});
