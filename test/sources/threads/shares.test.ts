import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { StreamFormat, RunLength } from "../../../src/contract/options.js";
import { assignHostIds, type WatchedTarget } from "../../../src/fleet/identity.js";
import { shareOut, splitLimit, threadCount } from "../../../src/sources/threads/shares.js";
import type { HostPlan } from "../../../src/ssh/plan/plan.js";
import { testPlan } from "../../support/host-plan.js";

function hosts(list: readonly { readonly host: string; readonly port?: number; readonly jump?: string }[]) {
  return assignHostIds(
    list.map(({ host, port = 22, jump }) => {
      const plan = testPlan({ originalHost: host, hostname: host, port, user: "u" });
      const hop = (name: string): HostPlan => testPlan({ originalHost: name, hostname: name, user: "u" });
      const way = jump === undefined ? plan.way : ({ kind: "jump", hop: hop(jump) } as const);
      return { target: { host, port, labels: {}, origin: "--ssh" }, plan: { ...plan, way } };
    }),
  );
}
const names = (lists: readonly (readonly WatchedTarget[])[]): readonly (readonly string[])[] =>
  lists.map((list) => list.map(({ target }) => `${target.host}:${target.port ?? 22}`));

describe("shareOut", () => {
  test("lists of about the same length, in the fleet's order", () => {
    const fleet = hosts(["a", "b", "c", "d", "e"].map((host) => ({ host })));
    assert.deepEqual(names(shareOut(fleet, 2)), [
      ["a:22", "c:22", "e:22"],
      ["b:22", "d:22"],
    ]);
  });
  test("hosts behind one jump host stay together, and so do ports of one address", () => {
    const fleet = hosts([
      { host: "a", jump: "gate" },
      { host: "x", port: 1 },
      { host: "b", jump: "gate" },
      { host: "x", port: 2 },
      { host: "c", jump: "gate" },
    ]);
    assert.deepEqual(names(shareOut(fleet, 8)), [
      ["a:22", "b:22", "c:22"],
      ["x:1", "x:2"],
    ]);
  });
  test("every host once, no list empty, none more than its fair part when nothing is shared", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 9 }), (count, threads) => {
        const fleet = hosts(Array.from({ length: count }, (_, i) => ({ host: `h${i}` })));
        const lists = shareOut(fleet, threads);
        assert.equal(lists.length, Math.min(count, threads));
        assert.deepEqual(names(lists).flat().sort(), names([fleet]).flat().sort());
        for (const { length } of lists) {
          assert.ok(length >= Math.floor(count / lists.length) && length <= Math.ceil(count / lists.length));
        }
      }),
    );
  });
});

test("the parts of a limit are the limit together, and each at least 1", () => {
  assert.deepEqual(splitLimit(32, 3), [11, 11, 10]);
  assert.deepEqual(splitLimit(32, 1), [32]);
  assert.deepEqual(splitLimit(2, 4), [1, 1, 1, 1]);
});

const ENDLESS: RunLength = { kind: "endless" };
const CASES: readonly (readonly [string, number | "auto", RunLength, StreamFormat, number, number])[] = [
  ["a large fleet has one", "auto", ENDLESS, "ndjson", 1000, 1],
  ["so has one in CSV, for a while", "auto", { kind: "count", ticks: 3 }, "csv", 100, 1],
  ["a small one has none", "auto", ENDLESS, "ndjson", 99, 0],
  ["a run of one tick has none", "auto", { kind: "once" }, "ndjson", 1000, 0],
  ["a table has none, and metrics neither", "auto", ENDLESS, "records", 1000, 0],
  ["--workers wins", 4, { kind: "once" }, "records", 1000, 4],
  ["--workers 0 has none", 0, ENDLESS, "ndjson", 1000, 0],
  ["no more than hosts", 8, ENDLESS, "ndjson", 3, 3],
];
for (const [what, workers, length, format, hosts, threads] of CASES) {
  test(`threadCount: ${what}`, () => assert.equal(threadCount({ workers, length }, format, hosts), threads));
}
