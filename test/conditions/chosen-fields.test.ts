/** Which paths `--fields` may name in records, rows and CSV, and what is answered to others. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fieldProblem, type FieldLayout } from "../../src/conditions/chosen-fields.js";
import { fieldPath } from "../../src/contract/field-path.js";
import { csvColumns, SECTION_FIELDS } from "../../src/contract/fields.js";
import { SECTIONS } from "../../src/contract/record.js";
import { FRAME_ROW_FIELDS, rowName, STATE_ROW_FIELDS } from "../../src/contract/row-fields.js";

function problem(text: string, layout: FieldLayout): string | null {
  const path = fieldPath(text);
  assert.ok(path !== null, text);
  return fieldProblem(path, layout, null);
}

describe("a path", () => {
  const cases: [text: string, expected: unknown][] = [
    ["state", { section: null, keys: ["state"] }],
    ["gpu.temperature", { section: "gpu", keys: ["temperature"] }],
    ["gpus.detail.x", { section: "gpu", keys: ["detail", "x"] }],
    ["gpus", { section: null, keys: ["gpus"] }],
    ["process", { section: null, keys: ["processes"] }],
    ["labels.a.b", { section: null, keys: ["labels", "a.b"] }],
    ["labels.topology/zone", { section: null, keys: ["labels", "topology/zone"] }],
    ['gpu.detail."CUDA Version"', { section: "gpu", keys: ["detail", "CUDA Version"] }],
    ["detail.'a.b'", { section: null, keys: ["detail", "a.b"] }],
  ];
  for (const [text, expected] of cases) test(text, () => assert.deepEqual(fieldPath(text), expected));
  for (const text of ["", ".", "a.", ".a", "a..b", "a b", '"a', 'a"b"', '""'])
    test(`${JSON.stringify(text)} is none`, () => assert.equal(fieldPath(text), null));
});

describe("known fields", () => {
  test("of every table are taken, by the names that the layout has", () => {
    for (const section of SECTIONS) {
      for (const name of Object.keys(SECTION_FIELDS[section])) {
        for (const layout of ["records", "rows", "csv"] as const)
          assert.equal(problem(`${section}.${name}`, layout), null, `${layout} ${section}.${name}`);
        const bare = rowName(section, name) ?? name;
        assert.equal(problem(bare, "rows"), null, bare);
        assert.equal(problem(bare, "csv"), null, bare);
      }
      for (const column of csvColumns(section))
        assert.equal(problem(rowName(section, column) ?? column, "csv"), null, column);
    }
    for (const name of [...Object.keys(FRAME_ROW_FIELDS), ...Object.keys(STATE_ROW_FIELDS)])
      assert.equal(problem(name, "rows"), null, name);
  });
  const cases: [layout: FieldLayout, text: string][] = [
    ["records", "gpu"],
    ["records", "labels.rack"],
    ["records", "last_error.code"],
    ["records", "errors.kind"],
    ["records", "gpu.mig_instances.profile"],
    ["rows", "process_state"],
    ["rows", "labels.rack"],
    ["rows", "detail.x"],
    ["csv", "gpus"],
    ["csv", "gpus.0.name"],
    ["csv", "errors"],
  ];
  for (const [layout, text] of cases)
    test(`${text} in ${layout}`, () => assert.equal(problem(text, layout), null));
});

describe("unknown fields", () => {
  const cases: [layout: FieldLayout, text: string, expected: RegExp][] = [
    ["records", "temperature", /^a record has no field "temperature"; did you mean gpu\.temperature\?$/],
    ["records", "hostnme", /did you mean hostname\?$/],
    ["records", "section", /^a record has no field "section"/],
    ["records", "gpu.0.name", /^gpu\.0 is one device, .* --where "gpu\.index == 0" chooses devices$/],
    ["records", "gpu.name.x", /^gpu\.name has no fields$/],
    ["rows", "temprature", /^a row has no field "temprature"; did you mean temperature\?$/],
    ["rows", "gpus", /^a row has no field "gpus"/],
    ["rows", "errors.kind", /did you mean error\?$/],
    ["rows", "section.x", /^section has no fields$/],
    ["rows", "gpu.instance", /^rows do not repeat gpu\.instance/],
    ["csv", "proces_state", /did you mean process_state\?$/],
    ["csv", "last_error.cod", /did you mean last_error\.code\?$/],
    ["csv", "constructor", /^a row has no field "constructor"/],
    ["rows", "detail.x.y", /has no fields$/],
  ];
  for (const [layout, text, expected] of cases)
    test(`${text} in ${layout}`, () => assert.match(problem(text, layout) ?? "", expected));
});
