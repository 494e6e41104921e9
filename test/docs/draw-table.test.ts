/** The picture in README is the table that the program draws. UPDATE_GOLDEN=1 draws it anew. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { drawTable } from "../../docs/draw-table.js";
import { useUtc } from "../support/in-utc.js";

const FILE = fileURLToPath(new URL("../../docs/table.svg", import.meta.url));

useUtc();

test("docs/table.svg is the table of docs/fleet.ndjson", async () => {
  const drawn = await drawTable();
  if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(FILE, drawn);
  for (const host of ["dgx-01", "mi300-01", "locked-01"]) assert.ok(drawn.includes(host), host);
  const hint = "draw it anew with UPDATE_GOLDEN=1 node --import tsx --test test/docs/draw-table.test.ts";
  assert.equal(readFileSync(FILE, "utf8"), drawn, hint);
});
