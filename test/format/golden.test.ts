/**
 * golden/{all-smi-record,csv,ndjson,table}/<case>: options.json, records.ndjson (one batch) and expected.txt, in which the escape
 * character is written as ␛. UPDATE_GOLDEN=1 writes expected.txt anew.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { checkRecord } from "../../src/contract/record-check.js";
import type { StreamRecord } from "../../src/contract/record.js";
import { createFormatter } from "../../src/format/create-formatter.js";
import type { FormatterOptions } from "../../src/format/formatter.js";
import { GOLDEN_ROOT } from "../support/golden.js";
import { useUtc } from "../support/in-utc.js";

interface CaseOptions extends Omit<FormatterOptions, "terminal"> {
  readonly terminal?: { readonly columns: number; readonly rows: number };
}

useUtc();

for (const kind of ["all-smi-record", "csv", "ndjson", "table"] as const) {
  const names = readdirSync(join(GOLDEN_ROOT, kind)).sort();
  describe(`golden/${kind}`, () => {
    test("holds cases", () => assert.ok(names.length > 0));
    for (const name of names) {
      test(name, async () => {
        const dir = join(GOLDEN_ROOT, kind, name);
        const { terminal, ...options } = JSON.parse(
          readFileSync(join(dir, "options.json"), "utf8"),
        ) as CaseOptions;
        const formatter = await createFormatter(kind, {
          ...options,
          terminal: terminal === undefined ? null : { size: () => terminal, onResize: () => () => undefined },
        });
        const text =
          (formatter.header?.() ?? "") + formatter.format(recordsIn(dir)) + (formatter.end?.() ?? "");
        const shown = text.replaceAll("\u001b", "␛").replaceAll("\r\n", "␍\n");
        const file = join(dir, "expected.txt");
        if (process.env["UPDATE_GOLDEN"] !== undefined) writeFileSync(file, shown);
        assert.equal(shown, readFileSync(file, "utf8"));
      });
    }
  });
}

function recordsIn(dir: string): readonly StreamRecord[] {
  const lines = readFileSync(join(dir, "records.ndjson"), "utf8").trimEnd().split("\n");
  return lines.map((line) => {
    const record = checkRecord(JSON.parse(line));
    assert.ok(typeof record !== "string", line);
    return record;
  });
}
