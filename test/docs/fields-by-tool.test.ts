/** docs/fields-by-tool.md is what golden/ gives. UPDATE_GOLDEN=1 writes the file. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { writeFieldsByTool } from "../../docs/write-fields-by-tool.js";
import { frameSizes } from "../../docs/frame-sizes.js";
import { recordedReadings } from "../support/golden.js";

const FILE = fileURLToPath(new URL("../../docs/fields-by-tool.md", import.meta.url));

test("docs/fields-by-tool.md has what the golden cases fill", async () => {
  const written = await writeFieldsByTool();
  if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(FILE, written);
  const hint = "write it with UPDATE_GOLDEN=1 node --import tsx --test test/docs/fields-by-tool.test.ts";
  assert.equal(readFileSync(FILE, "utf8"), written, hint);
});

test("a compact frame of eight devices has at most half the bytes", () => {
  const sizes = frameSizes(recordedReadings());
  assert.ok(sizes.length > 10);
  for (const { tool, whole, compact } of sizes)
    assert.ok(compact <= whole / 2, `${tool}: ${compact} of ${whole}`);
});
