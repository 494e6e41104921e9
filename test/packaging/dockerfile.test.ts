/** The Dockerfile: its lint, and that it copies what there is, and all that the build context has. */
import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { validate } from "dockerfile-utils";
import { copiedSources } from "../support/dockerfile.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const text = readFileSync(join(ROOT, "Dockerfile"), "utf8");
const linesOf = (file: string): readonly string[] =>
  readFileSync(join(ROOT, file), "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));

test("has nothing that a linter reports", () => {
  assert.deepEqual(validate(text), []);
  // The linter finds mistakes at all.
  assert.notEqual(validate("FROM a AS b\nCOPPY a b\n").length, 0);
});

test("copies what a clean checkout has", () => {
  const ignored = linesOf(".gitignore").map((line) => line.replace(/\/$/, ""));
  const sources = copiedSources(text);
  assert.ok(sources.length > 5);
  for (const source of sources) {
    assert.ok(statSync(join(ROOT, source), { throwIfNoEntry: false }) !== undefined, source);
    assert.ok(!ignored.includes(source.split("/")[0] ?? ""), source);
  }
});

test("the build context is what it copies, and nothing else", () => {
  const [first, ...kept] = linesOf(".dockerignore");
  assert.equal(first, "*");
  assert.deepEqual(
    kept.map((line) => line.replace(/^!/, "")).toSorted(),
    [...new Set(copiedSources(text))].toSorted(),
  );
});

test("the program runs without rights, under the name that Kubernetes starts", () => {
  const last = text.slice(text.lastIndexOf("\nFROM "));
  assert.match(last, /^USER 1000:1000$/m);
  assert.match(last, /^ENTRYPOINT \["allsmi-ssh"\]$/m);
  assert.match(last, /ln -s \/app\/dist\/start\.cjs \/usr\/local\/bin\/allsmi-ssh/);
  for (const file of ["kubernetes-job.yaml", "kubernetes-deployment.yaml"]) {
    const example = readFileSync(join(ROOT, "examples/shards", file), "utf8");
    assert.match(example, /^ +command: \["allsmi-ssh"\]$/m, file);
    assert.match(example, /^ +runAsUser: 1000$/m, file);
  }
});
