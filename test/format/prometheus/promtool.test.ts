/** What Prometheus's own linter says of a fleet with odd names, lost GPUs and two hosts of one name: nothing. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { readExposition } from "../../support/exposition.js";
import { oddFleet, textOf } from "./fleet-of.js";

const isThere = spawnSync("promtool", ["--version"]).status === 0;
const skip = isThere ? false : "SKIPPED LOUDLY: promtool is not installed (Debian: prometheus)";

test("promtool is silent about 100 hosts of 8 GPUs", { skip }, () => {
  const text = textOf(oddFleet(100));
  const families = readExposition(text);
  assert.equal(families.get("allsmi_host_up")?.samples.size, 100);
  assert.equal(families.get("allsmi_gpu_failed")?.samples.size, 90 * 8);
  assert.ok((families.get("allsmi_gpu_temperature_celsius")?.samples.size ?? 0) > 600);
  const { status, stdout, stderr } = spawnSync("promtool", ["check", "metrics"], {
    input: text,
    encoding: "utf8",
  });
  assert.equal(stdout + stderr, "");
  assert.equal(status, 0);
});
