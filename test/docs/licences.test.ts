/** docs/licences.md has each package of an installation, and each has a licence that Apache-2.0 software may be shipped with. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { licencesInOldForm, licencesPage, productionPackages } from "../../docs/write-licences.js";

const DOCUMENT = fileURLToPath(new URL("../../docs/licences.md", import.meta.url));
const PERMISSIVE = new Set(["MIT", "ISC", "BSD-2-Clause", "BSD-3-Clause", "0BSD", "Apache-2.0", "Unlicense"]);
const packages = productionPackages();

test("docs/licences.md has the packages of the lockfile", async () => {
  const written = await licencesPage(packages);
  if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(DOCUMENT, written);
  const text = existsSync(DOCUMENT) ? readFileSync(DOCUMENT, "utf8") : "";
  assert.equal(text, written, "write it with UPDATE_GOLDEN=1 node --import tsx --test test/docs/*.test.ts");
});

test("every licence is a permissive one", () => {
  assert.ok(packages.length > 10);
  for (const { name, licence } of packages) assert.ok(PERMISSIVE.has(licence), `${name}: ${licence}`);
});

test("a licence that the lockfile lacks is that of its package", () => {
  let compared = 0;
  for (const { path, name, licence } of packages) {
    const stated = licencesInOldForm(path);
    if (stated === null) continue;
    compared += 1;
    assert.deepEqual(stated, [licence], name);
  }
  assert.ok(compared > 0);
});
