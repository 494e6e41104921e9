/** docs/health.md is what the rule tables give. UPDATE_GOLDEN=1 writes the file. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { writeHealth } from "../../docs/write-health.js";

test("docs/health.md has every rule", async () => {
  const file = fileURLToPath(new URL("../../docs/health.md", import.meta.url));
  const written = await writeHealth();
  if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(file, written);
  const hint = "write it with UPDATE_GOLDEN=1 node --import tsx --test test/docs/health.test.ts";
  assert.equal(readFileSync(file, "utf8"), written, hint);
});
