/** Text of a host or a hostfile stays inside its own cell, label, line: in CSV, Prometheus, NDJSON and on standard error. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { OutputFormat } from "../../src/contract/options.js";
import type { StreamRecord } from "../../src/contract/record.js";
import { createFormatter } from "../../src/format/create-formatter.js";
import { csvCell } from "../../src/format/csv.js";
import type { FormatterOptions } from "../../src/format/formatter.js";
import { parseCsv } from "../support/csv.js";
import { frame, gpu, state } from "../support/records.js";

/** What a spreadsheet runs (OWASP, CSV Injection), in half-width and full-width forms, after blanks too. */
const FORMULAS = [
  "=cmd|' /C calc'!A0",
  "+1+1",
  "-1+1",
  "@SUM(A1)",
  "\t=1",
  "\r=1",
  " =1",
  "＝1",
  "＋1",
  "－1",
  "＠x",
] as const;

/** Each would begin a line, a record, a sample, or a command to the terminal. */
const FORGERIES = [
  'x"}\nallsmi_up{host="forged"} 1',
  'x",forged="1',
  "x\\",
  '\r\n{"schema":1,"record":"frame","host_id":"forged"}',
  "x,forged\nforged,1",
  "\u001b]0;forged\u0007",
  "\u001b[2J",
  "\u009b2J",
  "\u202eforged",
  "\u2028forged",
] as const;

const TERMINAL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;

const withText = (text: string): readonly StreamRecord[] => [
  frame({ hostname: "a", labels: { rack: text }, gpus: [gpu({ name: text, uuid: text })] }),
  state({
    hostname: "b",
    labels: { rack: text },
    last_error: { code: "connection-lost", phase: "sample", message: text },
  }),
];

const OPTIONS: FormatterOptions = {
  csvSections: ["gpu"],
  query: [],
  labelNames: ["rack"],
  color: false,
  terminal: null,
  hostCount: 2,
  isOnce: false,
};

async function printed(kind: OutputFormat, records: readonly StreamRecord[]): Promise<string> {
  const formatter = await createFormatter(kind, OPTIONS);
  return (formatter.header?.() ?? "") + formatter.format(records) + (formatter.end?.() ?? "");
}

describe("CSV: no cell is a formula", () => {
  for (const text of FORMULAS)
    test(JSON.stringify(text), async () => {
      const [cell = ""] = parseCsv(`${csvCell(text)},end\n`)[0] ?? [];
      assert.match(cell, /^'/);
      const rows = parseCsv(await printed("csv", withText(text)));
      assert.ok(rows.length >= 3);
      for (const row of rows) for (const each of row) assert.doesNotMatch(each, /^\s*[=+@\t\r＝＋－＠]/);
    });
  test("a negative number stays a number", () => {
    assert.equal(csvCell(-5), "-5");
  });
});

describe("no text forges a line, a cell or a label", () => {
  for (const text of FORGERIES)
    test(JSON.stringify(text), async () => {
      const records = withText(text);
      const innocent = withText("plain");
      for (const kind of ["ndjson", "csv", "prometheus", "otlp-json", "table"] as const) {
        const output = await printed(kind, records);
        assert.doesNotMatch(output, TERMINAL, kind);
        const lines = output.split("\n").length;
        assert.equal(
          lines,
          (await printed(kind, innocent)).split("\n").length,
          `${kind}: a line more or less`,
        );
      }
      for (const line of (await printed("ndjson", records)).trimEnd().split("\n"))
        assert.match((JSON.parse(line) as StreamRecord).hostname, /^[ab]$/);
      const rows = parseCsv(await printed("csv", records));
      assert.equal(new Set(rows.map((row) => row.length)).size, 1, "every row has as many cells");
      for (const line of (await printed("prometheus", records)).split("\n"))
        if (line !== "" && !line.startsWith("#")) assert.match(line, SAMPLE);
    });
});

/** A whole sample (Prometheus, Exposition formats 0.0.4): in a value a quote, a backslash or a line end only escaped. */
const SAMPLE = /^allsmi_[a-z0-9_]+(\{([A-Za-z_]\w*="([^"\\\n]|\\["\\n])*",?)*\})? [-+0-9.eNaInf]+( \d+)?$/;
