/** NDJSON with `--rows device`: which rows there are, and what each has. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Finding } from "../../src/contract/health.js";
import { SECTIONS, type FrameRecord, type StreamRecord } from "../../src/contract/record.js";
import { EVERYTHING, type Selection } from "../../src/contract/selection.js";
import { createNdjsonFormatter } from "../../src/format/ndjson.js";
import { conditionOf } from "../support/conditions.js";
import { schemaProblems } from "../support/line-schemas.js";
import { frame, gpu, state } from "../support/records.js";

type Line = Readonly<Record<string, unknown>>;

function rows(
  records: readonly StreamRecord[],
  changes: Partial<Selection> = {},
  query: readonly string[] = [],
): readonly Line[] {
  const selection: Selection = { ...EVERYTHING, rows: "device", ...changes };
  const formatter = createNdjsonFormatter({ isOnce: false, query, csvSections: SECTIONS, selection });
  const text = formatter.format(records);
  return text.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as Line]));
}
const picked = (line: Line | undefined, ...names: readonly string[]): readonly unknown[] =>
  names.map((name) => line?.[name]);

const ada = {
  ...{ pid: 4242, process_name: "python3", state: "R", uses_gpu: true, device_id: 1, hostname: "dgx-01" },
  ...{ host_id: "admin@dgx-01:22", instance: "dgx-01", time: "2026-01-02T03:04:05.678Z" },
};
const busy = frame({
  labels: { rack: "r1" },
  gpus: [gpu({ temperature: 60 }), gpu({ index: 5, temperature: 90, uuid: "GPU-5" })],
  processes: [ada] as unknown as NonNullable<FrameRecord["processes"]>,
});

describe("rows of devices", () => {
  test("have the envelope, then section, index and error, then the device's fields", () => {
    const [first, second, third, ...rest] = rows([busy]);
    assert.deepEqual(rest, []);
    assert.deepEqual(Object.keys(first ?? {}).slice(0, 14), [
      ...["schema", "record", "timestamp", "tick", "host_id", "target", "hostname", "labels", "state"],
      ...["transport", "latency_ms", "section", "index", "error"],
    ]);
    assert.deepEqual(picked(first, "record", "section", "index", "error"), ["device", "gpu", 0, null]);
    assert.deepEqual(first?.["labels"], { rack: "r1" });
    assert.deepEqual(picked(second, "section", "index", "temperature", "uuid"), ["gpu", 5, 90, "GPU-5"]);
    assert.deepEqual(picked(third, "section", "index", "pid"), ["process", 0, 4242]);
  });

  test("have no list of devices, and nothing that repeats the record", () => {
    for (const row of rows([busy])) {
      for (const name of ["gpus", "processes", "errors", "instance", "time"])
        assert.ok(!Object.hasOwn(row, name), name);
    }
  });

  test("have the section before a device's field that is called as one of the record", () => {
    const process = rows([busy])[2];
    assert.deepEqual(picked(process, "state", "process_state"), ["connected", "R"]);
    const extra = frame({
      gpus: [{ ...gpu(), target: "x", __proto__: null }] as unknown as FrameRecord["gpus"] & object,
    });
    const [row] = rows([extra]);
    assert.deepEqual(picked(row, "target", "gpu_target"), ["ssh://admin@dgx-01", "x"]);
  });

  test("show an outage, an error without a device, and a host without devices", () => {
    const errors = [{ section: "cpu", kind: "timeout", message: "no answer" }] as const;
    const failed = [gpu({ error: "GPU is lost" })];
    const list = rows([state(), frame({ gpus: failed, errors }), frame({ gpus: [] })]);
    assert.deepEqual(
      list.map((line) => picked(line, "record", "state", "section", "index", "error")),
      [
        ["state", "timeout", null, null, "connect-timeout: no answer within 10 s"],
        ["device", "connected", "gpu", 0, "GPU is lost"],
        ["device", "connected", "cpu", null, "timeout: no answer"],
        ["device", "connected", null, null, null],
      ],
    );
    assert.deepEqual(list[0]?.["last_error"], state().last_error);
  });

  test("leave out a newer tool's sections, and keep its other fields", () => {
    const native = { ...busy, dpus: [{ name: "x" }], site: "muc" } as unknown as StreamRecord;
    const [row] = rows([native]);
    assert.ok(!Object.hasOwn(row ?? {}, "dpus"));
    assert.equal(row?.["site"], "muc");
  });

  test("are as schema/row.json has them", () => {
    const errors = [{ section: "cpu", kind: "error", message: "x" }] as const;
    const list = rows([
      frame({ gpus: [gpu()], errors }),
      state(),
      state({ tick: null, last_error: null }),
      frame(),
    ]);
    assert.equal(list.length, 5);
    for (const row of list) assert.deepEqual(schemaProblems("row", row), [], JSON.stringify(row));
    for (const row of rows([frame({ gpus: [gpu()], errors }), state()], { isCompact: true })) {
      assert.ok(!Object.values(row).includes(null), JSON.stringify(row));
      assert.deepEqual(schemaProblems("compact-row", row), [], JSON.stringify(row));
    }
    const wrong = { ...list[0], temperature: "hot" };
    assert.ok(schemaProblems("row", wrong).length > 0);
    const without = Object.fromEntries(
      Object.entries(list[0] ?? {}).filter(([key]) => key !== "temperature"),
    );
    assert.equal(schemaProblems("row", without)[0], " must have required property 'temperature'");
  });
});

describe("held and health of rows", () => {
  const finding = (device: string | null, severity: Finding["severity"]): Finding => ({
    ...{ rule: `r-${device ?? "host"}`, severity, device, message: "m", action: "a" },
    since: "2026-01-02T03:04:05.678Z",
  });
  const judged = frame({
    ...busy,
    health: { status: "critical", findings: [finding("gpu 5", "critical"), finding(null, "warning")] },
    held: [
      { condition: "c", device: "gpu 0", reason: "x" },
      { condition: "d", device: "gpu 5, process 4242", reason: "y" },
    ],
  });
  const conditions = (row: Line | undefined): readonly string[] =>
    ((row?.["held"] ?? []) as readonly { condition: string }[]).map(({ condition }) => condition);

  test("are about the row's device, and the host", () => {
    const list = rows([judged]);
    assert.deepEqual(
      list.map((row) => (row["health"] as { status: string }).status),
      ["warning", "critical", "warning"],
    );
    assert.deepEqual(list.map(conditions), [["c"], ["d"], ["d"]]);
  });

  test("are in every row where the device that they are about has none", () => {
    const gone = frame({
      ...busy,
      health: { status: "critical", findings: [finding("gpu 7", "critical")] },
      held: [{ condition: "e", device: "gpu 7", reason: "z" }],
    });
    for (const row of rows([gone])) {
      assert.equal((row["health"] as { status: string }).status, "critical");
      assert.deepEqual(conditions(row), ["e"]);
    }
  });

  test("are ok without findings, and absent where nothing is judged", () => {
    const [row] = rows([frame({ gpus: [gpu()], health: { status: "ok", findings: [] } })]);
    assert.deepEqual(row?.["health"], { status: "ok", findings: [] });
    const [plain] = rows([busy]);
    assert.ok(!Object.hasOwn(plain ?? {}, "health") && !Object.hasOwn(plain ?? {}, "held"));
  });
});

describe("--where in rows", () => {
  const where = (...texts: readonly string[]): Partial<Selection> => ({ where: texts.map(conditionOf) });
  const shown = (list: readonly Line[]): readonly unknown[] =>
    list.map((row) => `${String(row["section"])} ${String(row["index"])}`);
  const all = [busy, state()];

  test("keeps devices that meet it", () => {
    assert.deepEqual(shown(rows(all, where("gpu.temperature > 85"))), ["gpu 5"]);
    assert.deepEqual(shown(rows(all, where("not gpu.temperature > 85"))), ["gpu 0"]);
    assert.deepEqual(shown(rows(all, where("gpu.temperature > 50", "gpu.temperature < 70"))), ["gpu 0"]);
    assert.deepEqual(shown(rows(all, where("gpu.temperature > 85 or process.pid == 4242"))), [
      "gpu 5",
      "process 0",
    ]);
  });
  test("keeps all rows of a record that meets it, and states that it names", () => {
    assert.deepEqual(shown(rows(all, where("labels.rack == r1"))), ["gpu 0", "gpu 5", "process 0"]);
    assert.deepEqual(shown(rows(all, where("gpu.temperature > 85 or state != connected"))), [
      "gpu 5",
      "null null",
    ]);
    assert.deepEqual(shown(rows(all, where("count(gpus) < 8"))), ["gpu 0", "gpu 5", "process 0"]);
  });
  test("with --frames-only and --states-only", () => {
    assert.deepEqual(shown(rows(all, { only: "frame" })), ["gpu 0", "gpu 5", "process 0"]);
    assert.deepEqual(shown(rows(all, { only: "state" })), ["null null"]);
  });
});

test("--fields in rows keeps the order, and a section's fields in its own rows", () => {
  const paths = ["index", "labels.rack", "temperature", "gpu.uuid", "process.state", "nothing", "detail"];
  assert.deepEqual(rows([busy, state()], {}, paths), [
    { index: 0, labels: { rack: "r1" }, temperature: 60, uuid: "GPU-0", detail: {} },
    { index: 5, labels: { rack: "r1" }, temperature: 90, uuid: "GPU-5", detail: {} },
    { index: 0, labels: { rack: "r1" }, process_state: "R" },
    { index: null, labels: {} },
  ]);
});
