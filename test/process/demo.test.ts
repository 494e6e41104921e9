/** The demo fleet, as a newcomer runs it. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { recordsOf, runCli } from "../support/cli.js";
import { makeTempDir } from "../support/temp-dir.js";

test("the demo shows every kind of host, ends by itself and leaves nothing", async (t) => {
  const temp = makeTempDir("demo");
  t.after(() => temp.remove());
  const include = ["--include", "gpu,cpu,memory,chassis,process,storage,host"];
  const run = await runCli(["--demo", "--count", "12", "--interval", "1", "--format", "ndjson", ...include], {
    env: { HOME: "/nonexistent", TMPDIR: temp.path },
  });
  assert.equal(run.code, 0, run.stderr);
  const records = recordsOf(run.stdout);
  const seen = new Set(
    records.map(({ hostname, state, transport }) => `${hostname} ${state} ${transport ?? "-"}`),
  );
  for (const expected of [
    "dgx-01 connected native",
    "dgx-02 connected nvidia-smi",
    "ws-01 connected nvidia-smi",
    "mi300-01 connected rocm-smi",
    "login-01 connected linux",
    "new-01 unsupported -",
    "locked-01 auth-failed -",
    "reinstalled-01 host-key-rejected -",
    "slow-01 connected nvidia-smi",
    "flaky-01 disconnected nvidia-smi",
    "flaky-01 connected nvidia-smi",
    "healing-01 connected nvidia-smi",
  ]) {
    assert.ok(seen.has(expected), `${expected} in ${[...seen].join(", ")}`);
  }
  for (let tick = 0; tick < 12; tick++) {
    assert.equal(records.filter((record) => record.tick === tick).length, 11, `tick ${tick}`);
  }
  const broken = records.find((record) => record.record === "frame" && record.hostname === "ws-01");
  assert(broken?.record === "frame");
  assert.equal(broken.gpus?.length, 2);
  assert.match(String(broken.gpus[1]?.error), /lost/);
  const failed = records.filter((record) => record.record === "frame" && record.errors !== undefined);
  assert.deepEqual(
    [...new Set(failed.map(({ hostname }) => hostname))],
    ["ws-01"],
    "what can be asked answers",
  );
  assert.deepEqual(
    broken.processes?.map(({ device_id, used_memory }) => [device_id, used_memory === null]),
    [[0, false]],
  );
  const statuses = records.flatMap(({ hostname, health, record }) =>
    hostname === "healing-01" && record === "frame" ? [health?.status] : [],
  );
  assert.ok(statuses.includes("critical"), "it is sick at first");
  assert.equal(statuses.at(-1), "ok", "and heals");
  const flaky = records.filter(({ hostname, tick }) => hostname === "flaky-01" && (tick ?? 99) <= 10);
  const states = flaky.map(({ state }) => state);
  assert.ok(states.lastIndexOf("connected") > states.indexOf("disconnected"), "back within ten seconds");
  assert.deepEqual(readdirSync(temp.path), []);
});
