/** Too few descriptors for a fleet: fewer hosts at a time, in their order, and none is lost. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { HostError } from "../../src/contract/errors.js";
import { OpenFiles, openFilesShortage } from "../../src/fleet/open-files.js";
import type { WatchedTarget } from "../../src/fleet/identity.js";
import { testPlan } from "../support/host-plan.js";

const { signal } = new AbortController();
const fleet = (count: number, command?: string): WatchedTarget[] =>
  Array.from({ length: count }, () => ({
    target: { host: "h", labels: {}, origin: "test" },
    plan: testPlan(command === undefined ? {} : { proxy: { kind: "command", command } }),
    identity: { hostId: "u@h:22", target: "ssh://u@h", hostname: "h", labels: {} },
  }));

test("what a fleet needs is compared with the limit", () => {
  assert.equal(openFilesShortage(fleet(100), false, 1024), null);
  assert.equal(openFilesShortage(fleet(100_000), false, null), null);
  assert.deepEqual(openFilesShortage(fleet(100), false, 64), { needed: 140, free: 24 });
  assert.deepEqual(openFilesShortage(fleet(10, "nc %h %p"), false, 64), { needed: 100, free: 24 });
  assert.deepEqual(openFilesShortage(fleet(10), true, 20), { needed: 100, free: 1 });
});

test("in a run of one reading hosts wait for their turn, in order", async () => {
  const files = new OpenFiles(2, true);
  const order: number[] = [];
  const take = async (id: number, count: number): Promise<() => void> => {
    const giveBack = await files.take(count, signal);
    order.push(id);
    return giveBack;
  };
  const [first, second] = [await take(0, 1), await take(1, 1)];
  const waiting = [take(2, 6), take(3, 1)];
  first();
  first();
  await Promise.resolve();
  assert.deepEqual(order, [0, 1]);
  second();
  const third = await waiting[0];
  assert.deepEqual(order, [0, 1, 2]);
  third?.();
  (await waiting[1])?.();
  assert.deepEqual(order, [0, 1, 2, 3]);
});

test("in a watch a host without descriptors fails by local-limit, and has its turn later", async () => {
  const files = new OpenFiles(1, false);
  const giveBack = await files.take(1, signal);
  await assert.rejects(files.take(1, signal), (error: unknown) => {
    assert.ok(error instanceof HostError);
    assert.equal(error.failure.code, "local-limit");
    assert.match(error.message, /ulimit -n/);
    return true;
  });
  giveBack();
  (await files.take(1, signal))();
});

test("a host that is given up does not keep its turn", async () => {
  const files = new OpenFiles(1, true);
  const giveBack = await files.take(1, signal);
  const stopper = new AbortController();
  const waiting = files.take(1, stopper.signal);
  stopper.abort(new Error("stopped"));
  await assert.rejects(waiting, /stopped/);
  giveBack();
  (await files.take(1, signal))();
});
