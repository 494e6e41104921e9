/** A host that was taken out of the list counts no longer, whoever counts hosts. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FleetState } from "../../src/format/prometheus/fleet-state.js";
import { TableFooter } from "../../src/format/table/footer.js";
import { createLook } from "../../src/format/table/look.js";
import { Roster } from "../../src/format/table/roster.js";
import { TickBlocks } from "../../src/format/tick-blocks.js";
import { HealthJudge } from "../../src/health/judge.js";
import { EXIT, exitCodeOf, Tally } from "../../src/outcome/tally.js";
import { frame, gpu, state } from "../support/records.js";

const failed = state({ hostname: "b" });
const removed = state({
  hostname: "b",
  tick: null,
  state: "disconnected",
  last_error: { code: "removed", phase: "sample", message: "the list was read again" },
});
const sound = frame({ hostname: "a", gpus: [gpu()] });

test("the exit code is of the hosts that are left", () => {
  const tally = new Tally({ failOn: [], drift: null });
  const code = (): number => exitCodeOf([tally.summary], { failOnMissing: false, drift: null });
  for (const record of [sound, failed]) tally.take(record);
  assert.equal(code(), EXIT.someFailed);
  tally.take(removed);
  assert.equal(code(), EXIT.ok);
  assert.equal(tally.counts.hosts, 1);
  // It may come back.
  tally.take(failed);
  assert.equal(code(), EXIT.someFailed);
});

test("the table and its last line have no row and no pending host for it", () => {
  const roster = new Roster();
  const footer = new TableFooter({ hostCount: 2 }, createLook(false));
  const take = (record: typeof sound | typeof failed): void => {
    roster.put(record);
    footer.take(record);
  };
  [sound, failed].forEach(take);
  assert.match(footer.fleetLine(200), /^2 hosts: 1 ok, 1 unreachable/);
  take(removed);
  assert.equal(footer.fleetLine(200), "1 host: 1 ok");
  assert.deepEqual(
    roster.records().map(({ hostname }) => hostname),
    ["a"],
  );
  assert.deepEqual(
    roster.hosts().map(({ label }) => label),
    ["a"],
  );
  assert.equal(roster.size, 1);
});

test("metrics have no series of it", () => {
  const fleet = new FleetState();
  fleet.absorb([sound, failed], 0);
  assert.deepEqual([fleet.answered, fleet.views(null).length], [2, 2]);
  fleet.absorb([removed], 1);
  assert.deepEqual([fleet.answered, fleet.views(null).length], [1, 1]);
});

test("a tick is complete without it, and with a host that has come", () => {
  const blocks = new TickBlocks(2);
  const names = (tick: number, hosts: readonly string[]): readonly string[] =>
    blocks
      .take(hosts.map((hostname) => frame({ hostname, tick })))
      .map((block) => block.map(({ hostname }) => hostname).join(" "));
  assert.deepEqual(names(0, ["a", "b"]), ["a b"]);
  blocks.take([removed]);
  assert.deepEqual(names(1, ["a"]), ["a"]);
  blocks.take([state({ hostname: "c", tick: null, state: "connecting", last_error: null })]);
  assert.deepEqual(names(2, ["a"]), []);
  assert.deepEqual(names(2, ["c"]), ["a c"]);
});

test("its last record is no finding, and other labels bring other expectations", () => {
  const judge = new HealthJudge({ rules: true, expectations: [] });
  const rules = (record: typeof sound | typeof failed): readonly string[] =>
    judge.judge(record).findings.map(({ rule }) => rule);
  assert.deepEqual(rules(failed), ["host-unreachable"]);
  assert.deepEqual(rules(removed), []);
  const expecting = (gpus: string) => ({ ...sound, labels: { "expect.gpus": gpus } });
  assert.equal(rules(expecting("1")).length, 0);
  assert.equal(rules(expecting("8")).length, 1);
});
