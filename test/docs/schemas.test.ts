/** schema/*.json are what the field tables give, and docs/rows.md names what it must. UPDATE_GOLDEN=1 writes the files. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { SECTION_FIELDS } from "../../src/contract/fields.js";
import { SECTIONS } from "../../src/contract/record.js";
import { rowName } from "../../src/contract/row-fields.js";
import { SCHEMA_NAMES, writeSchema } from "../../docs/write-schemas.js";

const pathOf = (name: string): string => fileURLToPath(new URL(`../../${name}`, import.meta.url));
const HINT = "write it with UPDATE_GOLDEN=1 node --import tsx --test test/docs/schemas.test.ts";

for (const name of SCHEMA_NAMES) {
  test(`schema/${name}.json has every field of the tables`, async () => {
    const written = await writeSchema(name);
    const file = pathOf(`schema/${name}.json`);
    if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(file, written);
    assert.equal(readFileSync(file, "utf8"), written, HINT);
  });
}

test("schema/ has these files alone, and the package has the folder", () => {
  assert.deepEqual(readdirSync(pathOf("schema")).sort(), SCHEMA_NAMES.map((name) => `${name}.json`).sort());
  const manifest = JSON.parse(readFileSync(pathOf("package.json"), "utf8")) as {
    files: readonly string[];
    exports: Readonly<Record<string, unknown>>;
  };
  assert.ok(manifest.files.includes("schema"));
  assert.equal(manifest.exports["./schema/*.json"], "./schema/*.json");
});

test("docs/rows.md names each file with its $id", () => {
  const rows = readFileSync(pathOf("docs/rows.md"), "utf8");
  for (const name of SCHEMA_NAMES) {
    const { $id } = JSON.parse(readFileSync(pathOf(`schema/${name}.json`), "utf8")) as { $id: string };
    assert.match(rows, new RegExp(`allsmi-ssh/schema/${name}\\.json\`[ |]+\`${$id}\``));
  }
});

test("docs/rows.md names each device field that has another name in rows", () => {
  const rows = readFileSync(pathOf("docs/rows.md"), "utf8");
  const renamed = SECTIONS.flatMap((section) =>
    Object.keys(SECTION_FIELDS[section]).flatMap((field) => {
      const name = rowName(section, field);
      return name === null || name === field ? [] : [name];
    }),
  );
  assert.ok(renamed.length > 0);
  for (const name of renamed) assert.ok(rows.includes(`\`${name}\``), name);
});
