/** A real Prometheus scrapes the demo fleet: its series outlive an outage, and each query of the dashboards has an answer. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import type { StreamRecord } from "../../src/contract/record.js";
import { withHealth } from "../../src/health/with-health.js";
import { realClock } from "../../src/lib/clock.js";
import { startExporter, type Exporter } from "../../src/serve/exporter.js";
import {
  DASHBOARDS,
  expressionsOf,
  readDashboard,
  selectorsIn,
  type Expression,
} from "../support/dashboards.js";
import { Prometheus, WITHOUT_PROMETHEUS } from "../support/prometheus.js";
import { Programs, serving, until } from "../support/serving.js";
import { sickFleet } from "../support/sick-fleet.js";
import { makeTempDir } from "../support/temp-dir.js";

/** Jobs in Prometheus. */
const DEMO = "demo";
const SICK = "sick";

/**
 * What the demo fleet does not have, and the sick host has: how a selector begins, less the chosen hosts and GPUs, and why.
 */
const ONLY_SICK: Readonly<Record<string, string>> = {
  allsmi_gpu_nvlink_: "boards with NVLink",
  allsmi_gpu_fabric_info: "boards with NVSwitches, and a fault",
  allsmi_gpu_retired_pages_: "boards older than A100",
  allsmi_gpu_ecc_sram_threshold_exceeded: "few boards have it, from driver 570 on",
  "allsmi_gpu_recovery_action{action!~": "a fault: None is left out",
};
/** A host of the demo has this in its first seconds, which a scrape may miss. */
const SOMETIMES = /^allsmi_gpu_throttle_reason\{reason=~"hw_/;
/** The demo's hosts have the disks, the network and the kernel of this machine. */
const OF_THIS_MACHINE = /^allsmi_(?:host_disk|host_pressure|network|storage)_/;

const temp = makeTempDir("real-prometheus");
const programs = new Programs();
const exporters: Exporter[] = [];
after(async () => {
  programs.kill();
  await Promise.all(exporters.map((exporter) => exporter.close()));
  temp.remove();
});

describe("a real Prometheus", { skip: WITHOUT_PROMETHEUS, timeout: 120_000 }, () => {
  test("has the demo fleet's series, through an outage, and answers each query of the dashboards", async () => {
    const include = "gpu,cpu,memory,chassis,storage,host,network,event";
    const flags = ["--demo", "--interval", "1", "--health", "--include", include];
    const run = await serving(flags, async (url, child) => {
      const jobs = { [DEMO]: url, [SICK]: await exportSickFleet() };
      const prometheus = await Prometheus.start(temp.path, jobs, programs);
      await outliveOutage(prometheus);
      await answerDashboards(prometheus);
      child.kill("SIGTERM");
    });
    assert.equal(run.code, 143, run.stderr);
  });
});

/** The program's own exporter in this process, with two ticks. */
async function exportSickFleet(): Promise<string> {
  const exporter = await startExporter({
    listen: { host: "127.0.0.1", port: 0 },
    intervalMs: 60_000,
    clock: realClock,
    fault: (_, error) => {
      throw error;
    },
  });
  exporters.push(exporter);
  const options = { rules: true, expectations: [], eventsImplied: false };
  const judged = withHealth(twoTicks(), options, (_, error) => {
    throw error;
  });
  for await (const batch of exporter.watch(judged, 2)) assert.ok(batch.length > 0);
  return exporter.url;
}

async function* twoTicks(): AsyncGenerator<readonly StreamRecord[], void> {
  for (const tick of sickFleet(realClock.wallMs())) yield await Promise.resolve(tick);
}

/** The host that loses its connection again and again, and comes back. */
async function outliveOutage(prometheus: Prometheus): Promise<void> {
  const host = async (): Promise<string | undefined> =>
    (await prometheus.query('allsmi_host_info{hostname="flaky-01"}'))[0]?.metric["host"];
  await until("the host that loses its connection", async () => (await host()) !== undefined);
  const series = `{host="${(await host()) ?? ""}"}`;
  const reconnected = `allsmi_host_reconnects_total${series} > 0`;
  await until("a reconnect", async () => (await prometheus.query(reconnected)).length === 1, 60_000);
  const states = await prometheus.query(`count_over_time(allsmi_host_state${series}[5m])`);
  assert.equal(states.length, 8, "one series for each state, before and after the outage");
  const info = `count_over_time(allsmi_gpu_info${series}[5m])`;
  await until("one series for its GPU", async () => (await prometheus.query(info)).length === 1, 30_000);
  const joined = await prometheus.query(
    "allsmi_gpu_temperature_celsius * on (host, gpu, uuid) group_left (name) allsmi_gpu_info",
  );
  assert.ok(joined.length >= 8 && joined.every(({ metric }) => metric["name"] !== undefined));
  const types = await prometheus.metadata();
  assert.equal(types["allsmi_gpu"]?.[0]?.type, "info", "OpenMetrics was asked for");
  assert.equal(types["allsmi_gpu_temperature_celsius"]?.[0]?.unit, "celsius");
}

async function answerDashboards(prometheus: Prometheus): Promise<void> {
  assert.ok((await prometheus.labelNames("allsmi_host_up")).includes("rack"));
  const expressions = DASHBOARDS.flatMap((name) =>
    expressionsOf(readDashboard(name)).map(({ of, expr }) => ({ of: `${name}: ${of}`, expr })),
  );
  assert.ok(expressions.length > 120);
  const selectors = [...new Set(expressions.flatMap(({ expr }) => selectorsIn(expr)))];
  // A part that has no series is not seen where the rest of an expression has some.
  const parts = selectors.map((expr) => ({ of: expr, expr }));
  const everything = `${DEMO}|${SICK}`;
  let silent: readonly Expression[] = [...expressions, ...parts];
  const all = async (): Promise<boolean> => {
    silent = await withoutAnswer(prometheus, silent, everything);
    return silent.length === 0;
  };
  // On a busy machine a host of the demo misses a tick.
  await until("an answer to each", all).catch(() => undefined);
  assert.deepEqual(
    silent.map(({ of }) => of),
    [],
  );

  const none = { of: "none", expr: 'up{job="none"}' };
  assert.deepEqual(await withoutAnswer(prometheus, [none], everything), [none]);
  const lately = selectors.map((of) => ({ of, expr: `last_over_time(${of}[2m])` }));
  const notInDemo = (await withoutAnswer(prometheus, lately, DEMO))
    .map(({ of }) => of.replaceAll(/(?:\$label|host|gpu)=~"[^"]*"(?:, )?/g, ""))
    .filter((selector) => !OF_THIS_MACHINE.test(selector) && !SOMETIMES.test(selector));
  const known = Object.keys(ONLY_SICK);
  const startOf = (selector: string): string => known.find((start) => selector.startsWith(start)) ?? selector;
  assert.deepEqual([...new Set(notInDemo.map(startOf))].sort(), known.sort());
}

/** Those of which no series comes back, with everything chosen in the dashboard, of these jobs. */
async function withoutAnswer(
  prometheus: Prometheus,
  expressions: readonly Expression[],
  jobs: string,
): Promise<readonly Expression[]> {
  const silent: Expression[] = [];
  for (const expression of expressions) {
    const series = await prometheus.query(chosen(expression.expr, jobs));
    if (series.length === 0) silent.push(expression);
  }
  return silent;
}

/** As Grafana sends it: hosts are chosen by the label `job`, and all hosts, GPUs and severities of those. */
function chosen(expr: string, jobs: string): string {
  const values: Readonly<Record<string, string>> = { label: "job", value: jobs, __rate_interval: "10s" };
  return expr.replaceAll(/\$(\w+)/g, (_, name: string) => values[name] ?? ".*");
}
