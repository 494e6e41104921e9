/** docs/records.md is what the field tables give, and README names the same fields. UPDATE_GOLDEN=1 writes the file. */
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

test("README's section on records names the fields, sections and codes, and links to the reference", () => {
  const readme = readFileSync(pathOf("README.md"), "utf8");
  const [, section = ""] = /^## Records$([^]*?)^## /m.exec(readme) ?? [];
  for (const name of [...Object.keys(RECORD_FIELDS), ...Object.values(KEY_OF_SECTION)])
    assert.ok(section.includes(`\`${name}\``), name);
  for (const code of Object.keys(STATE_OF_CODE)) assert.ok(section.includes(code), code);
  assert.ok(section.includes("(docs/records.md)"));
});
