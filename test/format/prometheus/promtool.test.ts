/** What Prometheus's own linter says of a fleet with odd names, lost GPUs and two hosts of one name: nothing. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { FAMILIES } from "../../../src/format/prometheus/exposition.js";
import { familyHead, sample } from "../../../src/format/prometheus/family.js";
import { readExposition } from "../../support/exposition.js";
import { fullFrame, oddFleet, textOf } from "./fleet-of.js";

const isThere = spawnSync("promtool", ["--version"]).status === 0;
const skip = isThere ? false : "SKIPPED LOUDLY: promtool is not installed (Debian: prometheus)";

test("promtool is silent about 100 hosts of 8 GPUs", { skip }, () => {
  const text = textOf([...oddFleet(99), fullFrame()]);
  const families = readExposition(text);
  assert.equal(families.get("allsmi_host_up")?.samples.size, 100);
  assert.equal(families.get("allsmi_gpu_failed")?.samples.size, 90 * 8 + 1);
  assert.ok((families.get("allsmi_gpu_temperature_celsius")?.samples.size ?? 0) > 600);
  assertSilent(text);
});

test("and about every family, those of sections that few hosts have too", { skip }, () => {
  const labels = '{host="a"';
  assertSilent(
    FAMILIES.map((family) => `${familyHead(family, false)}${sample(family.name, labels, 1)}`).join(""),
  );
});

function assertSilent(text: string): void {
  const { status, stdout, stderr } = spawnSync("promtool", ["check", "metrics"], {
    input: text,
    encoding: "utf8",
  });
  assert.equal(stdout + stderr, "");
  assert.equal(status, 0);
}
