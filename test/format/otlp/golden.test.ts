/**
 * golden/otlp/<case>: records.ndjson (one batch) and expected.txt, the lines as they are printed but for line breaks before
 * metrics and points. UPDATE_GOLDEN=1 writes expected.txt anew.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { checkRecord } from "../../../src/contract/record-check.js";
import { GOLDEN_ROOT } from "../../support/golden.js";
import { otlpText, readLine } from "./otlp-lines.js";

describe("golden/otlp", () => {
  const names = readdirSync(join(GOLDEN_ROOT, "otlp")).sort();
  test("holds cases", () => assert.ok(names.length > 0));
  for (const name of names) {
    test(name, () => {
      const dir = join(GOLDEN_ROOT, "otlp", name);
      const records = readFileSync(join(dir, "records.ndjson"), "utf8")
        .trimEnd()
        .split("\n")
        .map((line) => {
          const record = checkRecord(JSON.parse(line));
          assert.ok(typeof record !== "string", line);
          return record;
        });
      const lines = otlpText(records).trimEnd().split("\n");
      assert.equal(lines.length, records.length);
      for (const line of lines) assert.ok(readLine(line).length > 0);
      const text = lines.map((line) => `${line.replaceAll(/\{"(?:name|attributes)":/g, "\n$&")}\n`).join("");
      const file = join(dir, "expected.txt");
      if (process.env["UPDATE_GOLDEN"] !== undefined) writeFileSync(file, text);
      assert.equal(text, readFileSync(file, "utf8"));
    });
  }
});
