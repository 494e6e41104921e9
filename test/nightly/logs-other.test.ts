/** docs/logs.md, Alloy and Vector: their own checks of the examples. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { findProgram } from "./logs-programs.js";
import { exampleFile } from "./logs-rows.js";

const alloy = findProgram("alloy");
test("Alloy takes config.alloy", { skip: alloy.skip }, () => {
  const run = spawnSync(alloy.path, ["validate", exampleFile("config.alloy")], { encoding: "utf8" });
  assert.equal(run.status, 0, run.stdout + run.stderr);
});

const vector = findProgram("vector");
test("Vector takes vector.yaml", { skip: vector.skip }, () => {
  const args = ["validate", "--no-environment", exampleFile("vector.yaml")];
  const run = spawnSync(vector.path, args, { encoding: "utf8" });
  assert.equal(run.status, 0, run.stdout + run.stderr);
});
