/** docs/prometheus.md has every metric, and names none that there is not; neither do the example rules. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { withMetrics } from "../../docs/write-metrics.js";
import { FAMILIES } from "../../src/format/prometheus/exposition.js";

const pathOf = (name: string): string => fileURLToPath(new URL(`../../${name}`, import.meta.url));
const DOCUMENT = pathOf("docs/prometheus.md");
const RULES = pathOf("examples/prometheus-rules.yml");
const RULE_TESTS = pathOf("examples/prometheus-rules.test.yml");

test("docs/prometheus.md has the table of metrics", async () => {
  const text = readFileSync(DOCUMENT, "utf8");
  const written = await withMetrics(text);
  if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(DOCUMENT, written);
  else
    assert.equal(text, written, "write it with UPDATE_GOLDEN=1 node --import tsx --test test/docs/*.test.ts");
});

for (const file of [DOCUMENT, RULES]) {
  test(`${file.split("/").at(-1)} names no metric that there is not`, () => {
    const known = new Set(FAMILIES.map(({ name }) => name));
    const named = [...readFileSync(file, "utf8").matchAll(/\ballsmi_[a-z0-9_]+/g)].map(([name]) => name);
    assert.ok(named.length > 5);
    assert.deepEqual(
      named.filter((name) => !known.has(name)),
      [],
    );
  });
}

const isThere = spawnSync("promtool", ["--version"]).status === 0;
const skip = isThere ? false : "SKIPPED LOUDLY: promtool is not installed (Debian: prometheus)";
test("the example rules are rules", { skip }, () => {
  const { status, stdout, stderr } = spawnSync("promtool", ["check", "rules", RULES], { encoding: "utf8" });
  assert.equal(status, 0, stdout + stderr);
  assert.match(stdout, /SUCCESS: 21 rules found/);
});

test("each example rule fires and is silent as its tests expect", { skip }, () => {
  const { status, stdout, stderr } = spawnSync("promtool", ["test", "rules", RULE_TESTS], {
    encoding: "utf8",
  });
  assert.equal(status, 0, stdout + stderr);
});

test("each example rule has a test in which it fires, and one in which it does not", () => {
  const names = (file: string, key: string): readonly string[] =>
    [...readFileSync(file, "utf8").matchAll(new RegExp(`${key}: (\\w+)`, "g"))].map(([, name = ""]) => name);
  const alerts = names(RULES, "- alert");
  const text = readFileSync(RULE_TESTS, "utf8");
  for (const alert of alerts) {
    const cases = text.split(/- alertname: /).filter((each) => each.startsWith(`${alert}\n`));
    assert.ok(
      cases.some((each) => /exp_alerts:\n/.test(each)),
      `${alert} fires`,
    );
    assert.ok(
      cases.some((each) => /exp_alerts: \[\]/.test(each)),
      `${alert} is silent`,
    );
  }
  assert.equal(alerts.length, new Set(names(RULE_TESTS, "- alertname")).size);
});
