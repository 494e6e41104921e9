/** dashboards/*.json are what the code makes, and hold together: positions, ids, variables, links, metrics. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { DASHBOARD_NAMES } from "../../dashboards/dashboard.js";
import { writeDashboard } from "../../dashboards/write-dashboards.js";
import { FULL_DISK_PERCENT, LOW_DISK_PERCENT, LOW_MEMORY_PERCENT } from "../../src/health/host-rules.js";
import { HARDWARE_SLOWDOWNS, MARGIN_LIMIT } from "../../src/health/nvidia-rules.js";
import { FAMILIES } from "../../src/format/prometheus/exposition.js";
import { expressionsOf, panelsOf, readDashboard, textsIn } from "../support/dashboards.js";

const pathOf = (name: string): string => fileURLToPath(new URL(`../../${name}`, import.meta.url));
const HINT = "write it with UPDATE_GOLDEN=1 node --import tsx --test test/dashboards/dashboards.test.ts";
/** Variables that Grafana has by itself: in queries, and in data links. */
const BUILT_IN = /^(?:__rate_interval|__url_time_range|__field\.|__data\.)/;
const COLUMNS = 24;

for (const name of DASHBOARD_NAMES) {
  test(`dashboards/${name}.json is what the code makes`, async () => {
    const file = pathOf(`dashboards/${name}.json`);
    const written = await writeDashboard(name);
    if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(file, written);
    assert.equal(readFileSync(file, "utf8"), written, HINT);
  });

  test(`${name}: each panel has an id, a place of its own, and a description`, () => {
    const panels = panelsOf(readDashboard(name));
    assert.ok(panels.length > 15);
    assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
    const taken = new Set<string>();
    for (const { title, type, description, gridPos } of panels) {
      assert.ok(gridPos.x >= 0 && gridPos.x + gridPos.w <= COLUMNS, title);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          assert.ok(!taken.has(`${x} ${y}`), `${title} covers another panel`);
          taken.add(`${x} ${y}`);
        }
      if (type !== "row") assert.match(String(description), /^[A-Z].{10,}\.$/s, title);
    }
  });

  test(`${name}: each query has a letter of its own, and the data source that is chosen`, () => {
    for (const { title, type, targets = [], datasource } of panelsOf(readDashboard(name))) {
      if (type === "row") continue;
      assert.ok(targets.length > 0, title);
      assert.equal(datasource?.uid, "${datasource}", title);
      assert.equal(new Set(targets.map(({ refId }) => refId)).size, targets.length, title);
      for (const target of targets) {
        assert.match(target.refId, /^[A-Z]$/, title);
        assert.equal(target.datasource.uid, "${datasource}", title);
        assert.equal(target.instant === true, target.range !== true, title);
      }
    }
  });

  test(`${name}: each variable is defined, and each that is defined is used`, () => {
    const dashboard = readDashboard(name);
    const defined = dashboard.templating.list.map((variable) => variable.name);
    const used = new Set<string>();
    for (const text of textsIn([dashboard.panels, dashboard.templating, dashboard.links])) {
      // "$__all" is the value of a variable that has no other.
      if (text === "$__all") continue;
      for (const [, plain, braced] of text.matchAll(/\$(?:([A-Za-z_]\w*)|\{([^}:]+)[^}]*\})/g)) {
        const variable = plain ?? braced ?? "";
        if (!BUILT_IN.test(variable)) used.add(variable);
      }
    }
    assert.deepEqual([...used].sort(), defined.sort());
  });

  test(`${name}: each metric in it is one that is exported`, () => {
    const known = new Set(FAMILIES.map((family) => family.name));
    const named = expressionsOf(readDashboard(name)).flatMap(({ expr }) => expr.match(/\ballsmi_\w+/g) ?? []);
    assert.ok(named.length > 40);
    assert.deepEqual(
      named.filter((metric) => !known.has(metric)),
      [],
    );
  });

  test(`${name}: links lead to a dashboard that there is, with variables that it has`, () => {
    const links = textsIn(readDashboard(name)).filter((text) => text.startsWith("/d/"));
    assert.ok(links.length > 0);
    for (const link of links) {
      const [, uid = "", query = ""] = /^\/d\/allsmi-([\w-]+)\?(.*)$/.exec(link) ?? [];
      const to = DASHBOARD_NAMES.find((other) => other === uid);
      assert.ok(to !== undefined, link);
      const has = readDashboard(to).templating.list.map((variable) => variable.name);
      for (const [, variable = ""] of query.matchAll(/var-(\w+)=/g)) assert.ok(has.includes(variable), link);
    }
  });
}

test("the limits in the panels and the alerts are those of the health rules", () => {
  const stepsOf = (title: string): readonly (number | null)[] => {
    const panel = panelsOf(readDashboard("host")).find((each) => each.title === title);
    return (panel?.fieldConfig?.defaults.thresholds.steps ?? []).map(({ value }) => value);
  };
  assert.deepEqual(stepsOf("Free space"), [null, FULL_DISK_PERCENT / 100, LOW_DISK_PERCENT / 100]);
  assert.deepEqual(stepsOf("Memory available"), [null, LOW_MEMORY_PERCENT / 100]);
  assert.deepEqual(stepsOf("Temperature margin"), [null, MARGIN_LIMIT + 1]);
  const rules = readFileSync(pathOf("examples/prometheus-rules.yml"), "utf8");
  assert.ok(rules.includes(`allsmi_gpu_temperature_margin_celsius <= ${MARGIN_LIMIT}\n`));
  const [, reasons = ""] = /allsmi_gpu_throttle_reason\{reason=~"([^"]+)"\}/.exec(rules) ?? [];
  for (const reason of HARDWARE_SLOWDOWNS) assert.match(reason, new RegExp(`^(?:${reasons})$`));
});

test("dashboards/ has these JSON files alone, the package has them, and docs/grafana.md names them", () => {
  const files = DASHBOARD_NAMES.map((name) => `${name}.json`).sort();
  const found = readdirSync(pathOf("dashboards")).filter((name) => name.endsWith(".json"));
  assert.deepEqual(found.sort(), files);
  const { files: packed } = JSON.parse(readFileSync(pathOf("package.json"), "utf8")) as {
    readonly files: readonly string[];
  };
  assert.ok(packed.includes("dashboards/*.json"));
  const document = readFileSync(pathOf("docs/grafana.md"), "utf8");
  for (const file of files) assert.ok(document.includes(`dashboards/${file}`), file);
  const provider = readFileSync(pathOf("examples/grafana/dashboards.yml"), "utf8");
  const [, folder = ""] = /^ +path: (\/\S+)$/m.exec(provider) ?? [];
  assert.ok(folder !== "" && document.includes(`install -d ${folder}\n`), folder);
});
