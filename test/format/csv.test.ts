/** CSV's columns and rows beyond those of golden/csv. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { SECTIONS, type FrameRecord, type Section, type StreamRecord } from "../../src/contract/record.js";
import { EVERYTHING, type Selection } from "../../src/contract/selection.js";
import { createCsvFormatter } from "../../src/format/csv.js";
import { labelColumns } from "../../src/format/label-columns.js";
import { conditionOf } from "../support/conditions.js";
import { parseCsv } from "../support/csv.js";
import { frame, gpu, state } from "../support/records.js";

interface Layout {
  readonly sections?: readonly Section[];
  readonly query?: readonly string[];
  readonly labelNames?: readonly string[];
  readonly selection?: Partial<Selection>;
}

/** Rows by column. */
function rows(
  records: readonly StreamRecord[],
  { sections = ["gpu"], query = [], labelNames = [], selection = {} }: Layout = {},
): readonly Readonly<Record<string, string>>[] {
  const formatter = createCsvFormatter({
    ...{ csvSections: sections, query, labelNames },
    selection: { ...EVERYTHING, ...selection },
  });
  const [header = [], ...body] = parseCsv((formatter.header?.() ?? "") + formatter.format(records));
  return body.map((cells) => Object.fromEntries(header.map((title, at) => [title, cells[at] ?? ""])));
}

const processes = [{ pid: 7, state: "R", process_name: "x" }] as unknown as NonNullable<
  FrameRecord["processes"]
>;

describe("columns", () => {
  test("have no name twice, whichever sections there are", () => {
    const header = createCsvFormatter({ csvSections: SECTIONS, query: [], labelNames: ["rack"] }).header?.();
    const [titles = []] = parseCsv(header ?? "");
    assert.ok(titles.length > 50);
    assert.equal(new Set(titles).size, titles.length);
  });
  test("have a process's state beside its host's", () => {
    const [row] = rows([frame({ processes })], { sections: ["process"] });
    assert.deepEqual([row?.["state"], row?.["process_state"]], ["connected", "R"]);
    const [chosen] = rows([frame({ processes })], {
      sections: ["process"],
      query: ["state", "process.state", "process_state"],
    });
    assert.deepEqual(chosen, { state: "connected", "process.state": "R", process_state: "R" });
  });
  test("have each label of the hosts, but expectations", () => {
    const labels = { rack: "r1", "expect.gpus": "8", "a.b": "=1+1" };
    const names = labelColumns([{ labels: {} }, { labels }, { labels: { rack: "r2", role: "train" } }]);
    assert.deepEqual(names, ["rack", "a.b", "role"]);
    const [row, other] = rows([frame({ labels, gpus: [gpu()] }), state()], { labelNames: names });
    assert.deepEqual([row?.["labels.rack"], row?.["labels.a.b"], row?.["labels.role"]], ["r1", "'=1+1", ""]);
    assert.deepEqual(
      [other?.["labels.rack"], other?.["error"]],
      ["", "connect-timeout: no answer within 10 s"],
    );
  });
});

describe("rows", () => {
  const connecting = state({ tick: null, state: "connecting", last_error: null, previous_state: null });
  const connected = state({ tick: null, state: "connected", last_error: null });
  const late = state({ tick: 0, state: "connecting", last_error: null });
  const down = state({ tick: null });
  test("leave out transitions in which nothing failed, and keep every tick and every failure", () => {
    const all = [connecting, connected, late, down];
    assert.deepEqual(
      rows(all).map((row) => [row["state"], row["tick"]]),
      [
        ["connecting", "0"],
        ["timeout", ""],
      ],
    );
    assert.equal(rows(all, { selection: { only: "state" } }).length, 4);
    assert.equal(rows(all, { selection: { only: "frame" } }).length, 0);
  });
  test("are those that meet --where", () => {
    const hot = frame({ gpus: [gpu(), gpu({ index: 1, temperature: 95 })] });
    const where = [conditionOf("gpu.temperature > 85 or state == timeout")];
    assert.deepEqual(
      rows([hot, down], { selection: { where } }).map((row) => [row["state"], row["index"]]),
      [
        ["connected", "1"],
        ["timeout", ""],
      ],
    );
  });
});
