/** NDJSON of records: `--fields`, `--where`, `--frames-only`, `--states-only`, `--compact`. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { checkRecord } from "../../src/contract/record-check.js";
import { SECTIONS, type StreamRecord } from "../../src/contract/record.js";
import { EVERYTHING, type Selection } from "../../src/contract/selection.js";
import { createNdjsonFormatter } from "../../src/format/ndjson.js";
import { conditionOf } from "../support/conditions.js";
import { GOLDEN_ROOT } from "../support/golden.js";
import { schemaProblems } from "../support/line-schemas.js";
import { frame, gpu, state } from "../support/records.js";

function printed(
  records: readonly StreamRecord[],
  changes: Partial<Selection> = {},
  query: readonly string[] = [],
): string {
  const selection: Selection = { ...EVERYTHING, ...changes };
  return createNdjsonFormatter({ isOnce: false, query, csvSections: SECTIONS, selection }).format(records);
}
const parsed = (text: string): readonly unknown[] =>
  text.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as unknown]));

const hot = frame({
  labels: { rack: "r1", "a.b": "x" },
  gpus: [
    gpu({ temperature: 60 }),
    gpu({ index: 1, temperature: 90, detail: { "CUDA Version": "12.4", y: "z" } }),
  ],
});
const cool = frame({ hostname: "dgx-03", gpus: [gpu({ temperature: 40 })] });
const lost = state();

describe("--where on records", () => {
  const hosts = (changes: Partial<Selection>): readonly unknown[] =>
    parsed(printed([hot, cool, lost], changes)).map((record) => (record as StreamRecord).hostname);
  const where = (text: string): Partial<Selection> => ({ where: [conditionOf(text)] });

  test("keeps whole records in which it holds for some device", () => {
    assert.deepEqual(parsed(printed([hot, cool, lost], where("gpu.temperature > 85"))), [hot]);
    assert.deepEqual(hosts(where("state != connected")), ["dgx-02"]);
    assert.deepEqual(hosts(where("gpu.temperature > 85 or state != connected")), ["dgx-01", "dgx-02"]);
  });
  test("with kinds of record", () => {
    assert.deepEqual(hosts({ only: "frame" }), ["dgx-01", "dgx-03"]);
    assert.deepEqual(hosts({ only: "state" }), ["dgx-02"]);
    assert.deepEqual(hosts({ only: "state", ...where("gpu.temperature > 0") }), []);
  });
});

describe("--fields on records", () => {
  test("keeps structure, lists and nulls", () => {
    const paths = ["hostname", "gpu.temperature", "gpus.detail.y", "labels.rack", "last_error.code", "tick"];
    assert.deepEqual(parsed(printed([hot, state({ tick: null })], {}, paths)), [
      {
        hostname: "dgx-01",
        gpus: [
          { temperature: 60, detail: {} },
          { temperature: 90, detail: { y: "z" } },
        ],
        labels: { rack: "r1" },
        tick: 0,
      },
      { hostname: "dgx-02", labels: {}, last_error: { code: "connect-timeout" }, tick: null },
    ]);
  });
  test("takes names with dots and blanks, and a whole section", () => {
    assert.deepEqual(parsed(printed([hot], {}, ["labels.a.b", 'gpu.detail."CUDA Version"'])), [
      { labels: { "a.b": "x" }, gpus: [{ detail: {} }, { detail: { "CUDA Version": "12.4" } }] },
    ]);
    assert.deepEqual(parsed(printed([cool], {}, ["gpu"])), [{ gpus: cool.gpus }]);
  });
  test("prefers the whole of an object to a part of it", () => {
    for (const paths of [
      ["labels", "labels.rack"],
      ["labels.rack", "labels"],
    ])
      assert.deepEqual(parsed(printed([hot], {}, paths)), [{ labels: hot.labels }]);
  });
  test("of a record without any is an empty object: every record has its line", () => {
    assert.equal(printed([lost], {}, ["gpu.temperature"]), "{}\n");
  });
  test("sets no prototype", () => {
    const named = JSON.parse('{"labels":{"__proto__":"x"}}') as { labels: Record<string, string> };
    const text = printed([frame(named)], {}, ["labels.__proto__"]);
    assert.equal(text, '{"labels":{"__proto__":"x"}}\n');
  });
});

describe("--compact", () => {
  const golden = ["csv", "ndjson"].flatMap((format) =>
    readdirSync(join(GOLDEN_ROOT, format)).flatMap((name) =>
      readFileSync(join(GOLDEN_ROOT, format, name, "records.ndjson"), "utf8")
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as StreamRecord),
    ),
  );
  test("leaves a state as it is", () => {
    assert.deepEqual(parsed(printed([lost], { isCompact: true })), [lost]);
  });
  test("keeps nulls that stand for places, and zero, false and empty text", () => {
    const changes = {
      utilization: 0,
      mig_mode: false,
      serial: "",
      throttle_reasons: [null, "x"] as unknown as string[],
    };
    const [record] = parsed(printed([frame({ gpus: [gpu(changes)] })], { isCompact: true }));
    const [device] = (record as { gpus: readonly object[] }).gpus;
    assert.ok(device);
    assert.deepEqual({ ...device, ...changes }, device);
  });
  test("is read by --replay, and is less", () => {
    assert.ok(golden.length > 0);
    for (const record of golden) {
      const text = printed([record], { isCompact: true });
      assert.notEqual(typeof checkRecord(JSON.parse(text)), "string", text);
      assert.ok(text.length <= printed([record]).length);
    }
  });
  test("is as schema/compact-record.json has it", () => {
    for (const record of [hot, cool, lost]) {
      assert.deepEqual(schemaProblems("record", record), []);
      const [compact] = parsed(printed([record], { isCompact: true }));
      assert.deepEqual(schemaProblems("compact-record", compact), []);
    }
    const [compact] = parsed(printed([hot], { isCompact: true }));
    assert.ok(schemaProblems("record", compact).length > 0);
  });
});
