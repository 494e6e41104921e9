/** In which order hosts stand, and that they do not jump. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Gpu, StreamRecord } from "../../../src/contract/record.js";
import type { TableSort } from "../../../src/contract/table-options.js";
import { Roster } from "../../../src/format/table/roster.js";
import { ViewChoice } from "../../../src/format/table/choose-view.js";
import { frame, gpu, state } from "../../support/records.js";

const at = (second: number): string => new Date(Date.UTC(2026, 0, 2, 3, 4, second)).toISOString();
const well = (hostname: string, second = 0, changes: Partial<Gpu> = {}): StreamRecord =>
  frame({ hostname, timestamp: at(second), gpus: [gpu(changes)] });
const gone = (hostname: string, second = 0): StreamRecord =>
  state({ hostname, timestamp: at(second), state: "unreachable" });
const namesIn = (roster: Roster): string =>
  roster
    .hosts()
    .map(({ label }) => label)
    .join(" ");
function rosterOf(sort: TableSort, ...records: readonly StreamRecord[]): Roster {
  const roster = new Roster(sort);
  for (const record of records) roster.put(record);
  return roster;
}

describe("order", () => {
  test("unreachable, with errors, with findings, hot, then names as people count", () => {
    const finding = (severity: "warning" | "critical") => ({
      status: severity,
      findings: [{ rule: "r", severity, device: null, message: "m", action: "a", since: at(0) }],
    });
    const errors = [{ section: "cpu", kind: "error", message: "m" }] as const;
    const roster = rosterOf(
      "host",
      well("h10"),
      well("h9"),
      well("hot", 0, { temperature_margin: 0 }),
      { ...well("warned"), health: finding("warning") },
      { ...well("sick"), health: finding("critical") },
      frame({ hostname: "broken", timestamp: at(0), errors }),
      gone("gone"),
    );
    assert.equal(namesIn(roster), "gone broken sick warned hot h9 h10");
  });
  const sorts: readonly [sort: TableSort, low: Partial<Gpu>, high: Partial<Gpu>][] = [
    ["utilization", { utilization: 10 }, { utilization: 90 }],
    ["temperature", { temperature: 40 }, { temperature: 80 }],
    ["memory", { used_memory: 1 }, { used_memory: 2 ** 36 }],
    ["power", { power_consumption: 100 }, { power_consumption: 600 }],
  ];
  for (const [sort, low, high] of sorts) {
    const [[key] = [""]] = Object.entries(low);
    test(`by ${sort}: the highest first, a missing reading last, sick hosts above all`, () => {
      const roster = rosterOf(
        sort,
        well("a", 0, { [key]: null }),
        well("b", 0, low),
        well("c", 0, high),
        gone("z"),
      );
      assert.equal(namesIn(roster), "z c b a");
    });
  }
  test("a small change moves nothing, a large one only after a while", () => {
    const roster = rosterOf(
      "utilization",
      well("a", 0, { utilization: 60 }),
      well("b", 0, { utilization: 58 }),
    );
    assert.equal(namesIn(roster), "a b");
    roster.put(well("b", 12, { utilization: 61 }));
    assert.equal(namesIn(roster), "a b", "three per cent more");
    roster.put(well("b", 14, { utilization: 99 }));
    assert.equal(namesIn(roster), "b a");
    roster.put(well("b", 16, { utilization: 2 }));
    assert.equal(namesIn(roster), "b a", "two seconds after the last move");
    roster.put(well("b", 25, { utilization: 2 }));
    assert.equal(namesIn(roster), "a b");
  });
  test("a host that gets worse moves at once; one that heals keeps its place for a while", () => {
    const roster = rosterOf("host", well("a"), well("b"));
    assert.equal(namesIn(roster), "a b");
    roster.put(gone("b", 1));
    assert.equal(namesIn(roster), "b a");
    roster.put(well("b", 2));
    assert.equal(namesIn(roster), "b a");
    roster.put(well("b", 11));
    assert.equal(namesIn(roster), "a b");
  });
});

describe("the view", () => {
  const counts = (gpus: number, hosts: number, groups: number) => ({ gpus, hosts, groups: () => groups });
  test("is the most detailed one that fits; groups only where they show a whole", () => {
    const cases: readonly [number, number, number, string][] = [
      [20, 3, 1, "gpus"],
      [21, 3, 1, "hosts"],
      [99, 21, 5, "groups"],
      [99, 21, 1, "hosts"],
      [99, 50, 21, "hosts"],
    ];
    for (const [gpus, hosts, groups, view] of cases)
      assert.equal(new ViewChoice("auto").choose(counts(gpus, hosts, groups), 20, 0), view);
    assert.equal(new ViewChoice("gpus").choose(counts(999, 99, 9), 20, 0), "gpus");
  });
  test("does not change to and fro: details come back after a while, with rows to spare, or on another screen", () => {
    const view = new ViewChoice("auto");
    const chosen = (gpus: number, nowMs: number): string => view.choose(counts(gpus, 3, 1), 20, nowMs);
    assert.deepEqual([chosen(20, 0), chosen(21, 1)], ["gpus", "hosts"]);
    assert.deepEqual([chosen(18, 5000), chosen(19, 20_000), chosen(18, 20_000)], ["hosts", "hosts", "gpus"]);
    assert.equal(chosen(21, 21_000), "hosts");
    view.forget();
    assert.equal(chosen(20, 22_000), "gpus");
  });
});
