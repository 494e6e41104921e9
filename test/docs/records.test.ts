/** docs/records.md is what the field tables give, and the manual names the same fields. UPDATE_GOLDEN=1 writes the file. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { writeRecords } from "../../docs/write-records.js";
import { RECORD_FIELDS } from "../../src/contract/envelope-fields.js";
import { KEY_OF_SECTION, STATE_OF_CODE } from "../../src/contract/record.js";

const pathOf = (name: string): string => fileURLToPath(new URL(`../../${name}`, import.meta.url));

test("docs/records.md has every field of the tables", async () => {
  const written = await writeRecords();
  if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(pathOf("docs/records.md"), written);
  const hint = "write it with UPDATE_GOLDEN=1 node --import tsx --test test/docs/records.test.ts";
  assert.equal(readFileSync(pathOf("docs/records.md"), "utf8"), written, hint);
});

test("the manual's section on records names the fields, sections and states, and README links to the reference", () => {
  const [, section = ""] =
    /^\.Sh RECORDS$([^]*?)^\.Sh /m.exec(readFileSync(pathOf("man/allsmi-ssh.1"), "utf8")) ?? [];
  const named = new Set(section.split(/[\s,]+/));
  for (const name of [...Object.keys(RECORD_FIELDS), ...Object.values(KEY_OF_SECTION)])
    assert.ok(named.has(name), name);
  for (const state of new Set(Object.values(STATE_OF_CODE))) assert.ok(named.has(state), state);
  assert.ok(readFileSync(pathOf("README.md"), "utf8").includes("(docs/records.md)"));
});
