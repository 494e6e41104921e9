import assert from "node:assert/strict";
import test from "node:test";
import { retryDropped } from "../../../src/ssh/dial/dropped-retry.js";
import { FakeClock } from "../../support/fake-clock.js";

const never = new AbortController().signal;

class Dropped extends Error {}
const isDropped = (error: unknown): boolean => error instanceof Dropped;

/** The times of the attempts; the first `drops` of them are dropped. */
function dropping(
  clock: FakeClock,
  drops: number,
): { readonly atMs: number[]; readonly attempt: () => Promise<string> } {
  const atMs: number[] = [];
  return {
    atMs,
    attempt: () => {
      atMs.push(clock.nowMs());
      if (atMs.length > drops) return Promise.resolve("connected");
      return Promise.reject(new Dropped("dropped"));
    },
  };
}

test("a dropped connection is tried again after a backoff that doubles", async () => {
  const clock = new FakeClock();
  const { atMs, attempt } = dropping(clock, 3);
  const done = retryDropped(attempt, { clock, random: () => 0.5, isDropped }, never);
  await clock.advance(10_000);
  assert.equal(await done, "connected");
  assert.deepEqual(atMs, [0, 150, 450, 1050]);
});

test("the backoff is spread by the random number", async () => {
  const clock = new FakeClock();
  const numbers = [0, 0.999];
  const { atMs, attempt } = dropping(clock, 2);
  const done = retryDropped(attempt, { clock, random: () => numbers.shift() ?? 0, isDropped }, never);
  await clock.advance(10_000);
  await done;
  assert.deepEqual(atMs.map(Math.round), [0, 75, 525]);
});

test("after five retries the last drop is the error", async () => {
  const clock = new FakeClock();
  const { atMs, attempt } = dropping(clock, 100);
  const done = assert.rejects(retryDropped(attempt, { clock, random: () => 0, isDropped }, never), Dropped);
  await clock.advance(60_000);
  await done;
  assert.equal(atMs.length, 6);
});

test("no retry begins after the time is up", async () => {
  const clock = new FakeClock();
  const { atMs, attempt } = dropping(clock, 100);
  const retry = { clock, random: () => 0.5, isDropped, untilMs: 500 };
  const done = assert.rejects(retryDropped(attempt, retry, never), Dropped);
  await clock.advance(60_000);
  await done;
  assert.deepEqual(atMs, [0, 150, 450]);
});

test("any other error is thrown at once, and an abort ends the backoff", async () => {
  const clock = new FakeClock();
  const retry = { clock, random: () => 0.5, isDropped };
  await assert.rejects(
    retryDropped(() => Promise.reject(new Error("refused")), retry, never),
    /refused/,
  );
  const stop = new AbortController();
  const { atMs, attempt } = dropping(clock, 100);
  const waiting = assert.rejects(retryDropped(attempt, retry, stop.signal), /stop/);
  await clock.advance(100);
  stop.abort(new Error("stop"));
  await waiting;
  assert.equal(atMs.length, 1);
  assert.equal(clock.timers, 0);
});
