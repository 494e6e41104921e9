import assert from "node:assert/strict";
import { test } from "node:test";
import { deadlineAfter } from "../../src/lib/deadline.js";
import { FakeClock } from "../support/fake-clock.js";

function started(delayMs: number): { clock: FakeClock; calledAt: number[]; cancel: () => void } {
  const clock = new FakeClock();
  const calledAt: number[] = [];
  const timer = deadlineAfter(clock, delayMs, () => calledAt.push(clock.nowMs()));
  return { clock, calledAt, cancel: () => timer.cancel() };
}

test("a deadline passes in its time, also where this process is a little late", async () => {
  const { clock, calledAt } = started(10_000);
  await clock.advance(9_000);
  clock.work(1_900);
  await clock.advance(0);
  assert.deepEqual(calledAt, [10_900]);
});

for (const [stopMs, at] of [
  [12_000, 15_000],
  [3_600_000, 3_613_000],
] as const) {
  test(`a stop of ${stopMs / 1000} s gives others as much time as it took, at most the whole again`, async () => {
    const { clock, calledAt } = started(10_000);
    await clock.advance(1_500);
    clock.work(stopMs);
    await clock.advance(0);
    assert.equal(calledAt.length, 0);
    await clock.advance(20_000);
    assert.equal(calledAt.length, 1);
    assert.ok(Math.abs((calledAt[0] ?? 0) - at) <= 3_500, `called at ${calledAt[0]}`);
  });
}

test("a deadline that was put off can be cancelled", async () => {
  const { clock, calledAt, cancel } = started(1_000);
  clock.work(60_000);
  await clock.advance(0);
  cancel();
  await clock.advance(60_000);
  assert.deepEqual(calledAt, []);
  assert.equal(clock.timers, 0);
});

test("a machine that is late each time puts a deadline off once", async () => {
  const { clock, calledAt } = started(2_000);
  for (let i = 0; i < 3; i++) {
    clock.work(5_000);
    await clock.advance(0);
  }
  assert.deepEqual(calledAt, [10_000]);
});
