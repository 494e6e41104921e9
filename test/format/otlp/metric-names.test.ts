/** What OTLP calls each family: valid names, units of UCUM, and conventions only of families that there are. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { CONVENTIONS } from "../../../src/format/otlp/conventions.js";
import { metricOf } from "../../../src/format/otlp/metric-names.js";
import { FAMILIES } from "../../../src/format/prometheus/exposition.js";

const nameOf = (name: string): string => {
  const family = FAMILIES.find((each) => each.name === name);
  assert.ok(family !== undefined, name);
  return metricOf(family).name;
};

test("a family without a convention keeps its name, with its namespaces", () => {
  assert.equal(nameOf("allsmi_host_up"), "allsmi.host.up");
  assert.equal(nameOf("allsmi_host_last_success_timestamp_seconds"), "allsmi.host.last_success_timestamp");
  assert.equal(nameOf("allsmi_gpu_mig_memory_used_bytes"), "allsmi.gpu.mig.memory_used");
  assert.equal(nameOf("allsmi_gpu_remap_banks_max"), "allsmi.gpu.remap_banks.max");
  assert.equal(
    nameOf("allsmi_gpu_throttle_time_sw_thermal_seconds_total"),
    "allsmi.gpu.throttle_time_sw_thermal",
  );
  assert.equal(nameOf("allsmi_cpu_sockets"), "allsmi.cpu.sockets");
  assert.equal(nameOf("allsmi_cpu_socket_cores"), "allsmi.cpu.socket.cores");
  assert.equal(nameOf("allsmi_network_carrier_changes_total"), "allsmi.network.carrier_changes");
  assert.equal(nameOf("allsmi_gpu_info"), "allsmi.gpu.info");
});

test("two families are one metric only where a convention distinguishes them by attributes", () => {
  const seen = new Map<string, string>();
  for (const family of FAMILIES) {
    const { name, attributes, component, instrument, unit } = metricOf(family);
    const series = JSON.stringify([name, attributes, component]);
    assert.equal(seen.get(series), undefined, `${family.name} is ${name} as well`);
    seen.set(series, family.name);
    assert.equal(instrument === "counter", family.type === "counter", family.name);
    assert.match(name, /^(allsmi|hw|system)(\.[a-z][a-z0-9_]*)+$/);
    if (name.startsWith("allsmi.")) assert.equal(unit === "1", family.unit === "ratio", family.name);
  }
});

test("a metric has one unit and one instrument", () => {
  const known = new Map<string, string>();
  for (const { name, unit, instrument, brief } of FAMILIES.map(metricOf)) {
    const shape = JSON.stringify([unit, instrument, brief]);
    assert.equal(known.get(name) ?? shape, shape, name);
    known.set(name, shape);
  }
});

test("docs/otlp.md has a row for each convention, and no other", () => {
  const document = readFileSync(fileURLToPath(new URL("../../../docs/otlp.md", import.meta.url)), "utf8");
  const rows = [...document.matchAll(/^\| `(allsmi_\w+)` +\| `([\w.]+)` +\|([^|]*)\|/gm)].map(
    ([, family = "", metric = "", attributes = ""]) => [
      family,
      metric,
      attributes.trim().replaceAll("`", ""),
    ],
  );
  const expected = Object.entries(CONVENTIONS).map(([family, { name, attributes = {} }]) => [
    ...[family, name],
    Object.entries(attributes)
      .map(([key, value]) => `${key}=${value}`)
      .join(", "),
  ]);
  assert.deepEqual(rows, expected);
  for (const family of Object.keys(CONVENTIONS)) assert.notEqual(nameOf(family), "", family);
});
