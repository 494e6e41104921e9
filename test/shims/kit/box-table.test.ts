import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { boxTables } from "../../../src/shims/kit/box-table.js";

const UNICODE = [
  "TPU Chips",
  "┏━━━━━━┳━━━━━━┓",
  "┃ Chip ┃ PID  ┃",
  "┡━━━━━━╇━━━━━━┩",
  "│ a    │ 1052 │",
  "│ b    │ 1053 │",
  "└──────┴──────┘",
].join("\n");
const ASCII = [
  "+-----+------+",
  "|  Device Information  |",
  "+-----+------+",
  "| NPU | Temp |",
  "+=====+======+",
  "| 0   |  38C |",
  "Warning: device 1 is slow",
  "| 1   |  39C |",
  "+-----+------+",
  "|  Context Information |",
  "+-----+------+",
  "| NPU | PID  |",
  "+-----+------+",
].join("\n");

const CASES: readonly { what: string; text: string; tables: unknown }[] = [
  { what: "no table", text: "Error: no device\n", tables: [] },
  {
    what: "drawn in Unicode",
    text: UNICODE,
    tables: [
      {
        title: "TPU Chips",
        columns: ["Chip", "PID"],
        rows: [
          { Chip: "a", PID: "1052" },
          { Chip: "b", PID: "1053" },
        ],
      },
    ],
  },
  {
    what: "drawn in ASCII, with titles inside and text between the rows",
    text: ASCII,
    tables: [
      {
        title: "Device Information",
        columns: ["NPU", "Temp"],
        rows: [
          { NPU: "0", Temp: "38C" },
          { NPU: "1", Temp: "39C" },
        ],
      },
      { title: "Context Information", columns: ["NPU", "PID"], rows: [] },
    ],
  },
  {
    what: "coloured, with a row that has too few cells",
    text: "┏━━━┳━━━┓\n┃ A ┃ B ┃\n┡━━━╇━━━┩\n│ \u001b[31m1\u001b[0m │ 2 │\n│ 3 │\n│ 1 │ 2 │ 3 │\n│ 4 │ 5 │\n",
    tables: [
      {
        title: "",
        columns: ["A", "B"],
        rows: [
          { A: "1", B: "2" },
          { A: "4", B: "5" },
        ],
      },
    ],
  },
];

describe("boxTables", () => {
  for (const { what, text, tables } of CASES)
    test(what, () => {
      assert.deepEqual(boxTables(text), tables);
    });
});
