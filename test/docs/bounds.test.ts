/** docs/bounds.md has every cap of the source with its value, and what happens over it. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { outcomeOf, unusedOutcomes } from "../../docs/bound-outcomes.js";
import { collectBounds } from "../../docs/collect-bounds.js";
import { withBounds } from "../../docs/write-bounds.js";
import { MAX_ANSWER_BYTES } from "../../src/remote/answer-bounds.js";
import { MAX_UNSENT_BYTES } from "../../src/ssh/ssh2/server-limits.js";
import { MAX_HOSTS } from "../../src/targets/ranges.js";

const DOCUMENT = fileURLToPath(new URL("../../docs/bounds.md", import.meta.url));
const bounds = collectBounds();

test("docs/bounds.md has the caps of the source", async () => {
  const text = readFileSync(DOCUMENT, "utf8");
  const written = await withBounds(text, bounds);
  if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(DOCUMENT, written);
  else
    assert.equal(text, written, "write it with UPDATE_GOLDEN=1 node --import tsx --test test/docs/*.test.ts");
});

test("the values are those that the program has", () => {
  assert.ok(bounds.length > 100, `${bounds.length} caps`);
  const valueOf = (file: string, name: string): number | undefined =>
    bounds.find((bound) => bound.file === file && bound.name === name)?.value;
  assert.equal(valueOf("remote/answer-bounds.ts", "MAX_ANSWER_BYTES"), MAX_ANSWER_BYTES);
  assert.equal(valueOf("ssh/ssh2/server-limits.ts", "MAX_UNSENT_BYTES"), MAX_UNSENT_BYTES);
  assert.equal(valueOf("targets/ranges.ts", "MAX_HOSTS"), MAX_HOSTS);
  assert.deepEqual(
    bounds.filter(({ value }) => !Number.isFinite(value)),
    [],
  );
});

test("each cap has a line about what is over it, and no line is left from one that has gone", () => {
  const without = bounds.filter(({ file, name }) => outcomeOf(file, name) === null);
  assert.deepEqual(
    without.map(({ file, name }) => `${file} ${name}`),
    [],
    "add what happens over it to docs/bound-outcomes.ts",
  );
  assert.deepEqual(unusedOutcomes(bounds), []);
});
