/** The tick schedule that hosts share. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Ticks } from "../../src/host/ticks.js";
import { FakeClock } from "../support/fake-clock.js";

const ENDLESS = { kind: "endless" } as const;

test("all callbacks of a tick are called once when it begins, by one timer", async () => {
  const clock = new FakeClock();
  const ticks = new Ticks(clock, 1000, ENDLESS);
  const called: string[] = [];
  ticks.onBegin(1, () => called.push("a1"));
  await clock.advance(400);
  ticks.onBegin(1, () => called.push("b1"));
  ticks.onBegin(2, () => called.push("a2"));
  assert.equal(clock.timers, 2);
  await clock.advance(599);
  assert.equal(called.length, 0);
  await clock.advance(2);
  assert.deepEqual(called, ["a1", "b1"]);
  ticks.onBegin(1, () => called.push("late"));
  await clock.advance(1);
  assert.deepEqual(called, ["a1", "b1", "late"]);
  await clock.advance(1000);
  assert.deepEqual(called, ["a1", "b1", "late", "a2"]);
  assert.equal(clock.timers, 0);
});

test("a cancelled callback is not called, and the last one leaves no timer", async () => {
  const clock = new FakeClock();
  const ticks = new Ticks(clock, 1000, ENDLESS);
  const called: string[] = [];
  const first = ticks.onBegin(1, () => called.push("first"));
  const second = ticks.onBegin(1, () => called.push("second"));
  first?.cancel();
  first?.cancel();
  assert.equal(clock.timers, 1);
  second?.cancel();
  assert.equal(clock.timers, 0);
  ticks.onBegin(1, () => called.push("third"));
  first?.cancel();
  await clock.advance(1001);
  assert.deepEqual(called, ["third"]);
});

test("a run of one tick has no second", () => {
  const ticks = new Ticks(new FakeClock(), 1000, { kind: "once" });
  assert.notEqual(
    ticks.onBegin(0, () => undefined),
    null,
  );
  assert.equal(
    ticks.onBegin(1, () => undefined),
    null,
  );
});
