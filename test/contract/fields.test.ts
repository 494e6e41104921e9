/** The field tables describe what is really emitted, and a path's kind is found in them. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import {
  DEVICE_LABEL_FIELDS,
  ENVELOPE_FIELDS,
  FRAME_FIELDS,
  STATE_FIELDS,
} from "../../src/contract/envelope-fields.js";
import { csvColumns, fieldKind, SECTION_FIELDS } from "../../src/contract/fields.js";
import { SECTIONS, type StreamRecord } from "../../src/contract/record.js";
import { GOLDEN_ROOT, recordedReadings } from "../support/golden.js";
import { unknownFields } from "../support/known-fields.js";
import { frame, gpu, state } from "../support/records.js";

describe("golden readings", () => {
  const readings = recordedReadings();
  test("are there for every section", () => {
    for (const section of SECTIONS)
      assert.ok(
        readings.some((reading) => reading.section === section),
        section,
      );
  });
  for (const { source, section, device } of readings) {
    // A native snapshot may have fields beyond ours, but ours have our types there too.
    const allowed = source === "native" ? /: no such field$/ : /^$/;
    const problems = unknownFields(device, SECTION_FIELDS[section]).filter(
      (problem) => !allowed.test(problem),
    );
    if (problems.length > 0) test(`${source}, ${section}`, () => assert.deepEqual(problems, []));
  }
  test("have every field of the tables but those that are set after the parser", () => {
    const filled = new Set(
      readings.flatMap(({ section, device }) => Object.keys(device).map((field) => `${section}.${field}`)),
    );
    const never = SECTIONS.flatMap((section) =>
      Object.keys(SECTION_FIELDS[section]).flatMap((field) =>
        filled.has(`${section}.${field}`) ? [] : [`${section}.${field}`],
      ),
    );
    // memory_unaccounted is worked out from processes, NVLinks are read in a later tick, and join-devices puts the tool's
    // id on a device: all after the parser.
    assert.deepEqual(never, ["gpu.memory_unaccounted", "gpu.nvlink", "gpu.tool"]);
  });
});

describe("unknownFields", () => {
  test("finds a name, a type, a null and an enum value that the table does not have", () => {
    const fields = { ...SECTION_FIELDS.gpu, ...DEVICE_LABEL_FIELDS };
    assert.deepEqual(unknownFields(gpu(), fields), []);
    const wrong = { ...gpu(), powr_limit: 1, temperature: "40", device_type: null, memory_source: "card" };
    assert.deepEqual(unknownFields(wrong, fields), [
      "device_type: null",
      'memory_source: "card"',
      "powr_limit: no such field",
      'temperature: "40" is no number',
    ]);
    const without = { ...gpu(), temperature: undefined };
    assert.deepEqual(unknownFields(without, fields), ["temperature: missing"]);
    assert.deepEqual(unknownFields({ ...gpu(), mig_instances: [{ uuid: 1 }] }, fields).slice(-1), [
      "mig_instances.0.uuid: 1 is no string",
    ]);
  });
});

describe("the kind of a path", () => {
  const cases: [path: string, type: unknown][] = [
    ["gpu.temperature", "number"],
    ["gpus.temperature", "number"],
    ["gpu.0.temperature", "number"],
    ["gpu.detail.x", "string"],
    ["gpu.mig_mode", "boolean"],
    ["gpu.throttle_reasons", "array"],
    ["gpu.throttle_reasons.0", "string"],
    ["gpu.mig_instances.profile", "string"],
    ["gpu.hostname", "string"],
    ["cpu.load_average.1", "number"],
    ["cpu.per_core_utilization.3.utilization", "number"],
    ["storage.device", "string"],
    ["gpu", "array"],
    ["errors.exit_code", "integer"],
    ["labels.rack", "string"],
    ["state", "string"],
    ["last_error.code", "string"],
    ["cpu.platform_type", ["string", "object"]],
  ];
  for (const [path, type] of cases) test(path, () => assert.deepEqual(fieldKind(path)?.type, type));
  for (const path of [
    "",
    "gpuu",
    "gpu.temprature",
    "gpu.temperature.x",
    "state.x",
    "__proto__",
    "gpu.toString",
  ])
    test(`${JSON.stringify(path)} has none`, () => assert.equal(fieldKind(path), null));
});

test("CSV columns are plain values: no objects, and each column once", () => {
  for (const section of SECTIONS) {
    const columns = csvColumns(section);
    assert.equal(new Set(columns).size, columns.length);
    for (const name of columns) assert.notEqual(SECTION_FIELDS[section][name]?.type, "object", name);
  }
});

describe("records", () => {
  const FRAME = { ...ENVELOPE_FIELDS, ...FRAME_FIELDS };
  const STATE = { ...ENVELOPE_FIELDS, ...STATE_FIELDS };
  const withoutSections = (record: object): object =>
    Object.fromEntries(
      Object.entries(record).filter(([key]) => !(fieldKind(key)?.type === "array" && key !== "errors")),
    );
  const check = (record: StreamRecord): readonly string[] =>
    unknownFields(withoutSections(record), record.record === "frame" ? FRAME : STATE);
  test("that tests make hold what the tables have", () => {
    const errors = [{ section: "gpu", kind: "error", message: "x", exit_code: 2 }] as const;
    for (const record of [frame({ errors }), state(), state({ last_error: null, tick: null })])
      assert.deepEqual(check(record), []);
  });
  test("in golden/ hold what the tables have", () => {
    for (const format of ["csv", "ndjson", "table"]) {
      for (const name of readdirSync(join(GOLDEN_ROOT, format))) {
        const lines = readFileSync(join(GOLDEN_ROOT, format, name, "records.ndjson"), "utf8")
          .trimEnd()
          .split("\n");
        for (const line of lines)
          assert.deepEqual(check(JSON.parse(line) as StreamRecord), [], `${format}/${name}`);
      }
    }
  });
});
