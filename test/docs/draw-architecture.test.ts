/** The picture in docs/ is the one that the imports give. UPDATE_GOLDEN=1 draws it anew. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { drawArchitecture } from "../../docs/draw-architecture.js";

const FILE = fileURLToPath(new URL("../../docs/architecture.svg", import.meta.url));

test("docs/architecture.svg shows the rooms and imports of src/", () => {
  const drawn = drawArchitecture();
  if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(FILE, drawn);
  assert.equal(readFileSync(FILE, "utf8"), drawn, "draw it anew with UPDATE_GOLDEN=1 npm run test:unit");
});
