/** Which columns are left on a narrow screen. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ColumnName } from "../../../src/format/table/column-names.js";
import { fitColumns, naturalWidths } from "../../../src/format/table/columns.js";
import type { TableRow } from "../../../src/format/table/row.js";

type Texts = Partial<Record<ColumnName, string>>;

function columnsOf(texts: readonly Texts[], width: number): readonly ColumnName[] {
  const rows = texts.map((each): TableRow => {
    const cells = Object.entries(each).map(([name, text]) => [name, { text }] as const);
    return { state: "connected", cells: Object.fromEntries(cells) };
  });
  return fitColumns(naturalWidths(rows, new Map()), width).map(({ name }) => name);
}

const GPU: Texts = {
  host: "healing-01",
  state: "connected",
  index: "0",
  utilization: "97",
  power: "277/450",
};

test("rows of one host can be distinguished at 40 columns, with its health too", () => {
  assert.deepEqual(columnsOf([GPU], 40), ["host", "state", "index", "utilization"]);
  const sick = { ...GPU, health: "critical" };
  assert.deepEqual(columnsOf([sick], 40), ["host", "health", "index", "utilization"]);
  assert.deepEqual(columnsOf([sick], 24), ["host", "health"]);
});

test("a column that no row has anything in takes no space from a reading", () => {
  const held = { ...GPU, holders: "python3", idle: "" };
  assert.deepEqual(columnsOf([held], 52), ["host", "state", "index", "utilization", "power", "holders"]);
  const idle = columnsOf([held, { ...held, idle: "12 min" }], 52);
  assert.deepEqual(idle, ["host", "state", "index", "utilization", "holders", "idle"]);
});
