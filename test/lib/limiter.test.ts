import assert from "node:assert/strict";
import test from "node:test";
import { KeyedLimiter, Limiter } from "../../src/lib/limiter.js";

const never = new AbortController().signal;

test("no more permits than the limit are held, granted in the order of the requests", async () => {
  const limiter = new Limiter(2);
  const order: number[] = [];
  let running = 0;
  let maximum = 0;
  const work = async (n: number): Promise<void> => {
    const release = await limiter.acquire(never);
    order.push(n);
    maximum = Math.max(maximum, ++running);
    await new Promise((resolve) => setImmediate(resolve));
    running -= 1;
    release();
    release();
  };
  await Promise.all([1, 2, 3, 4, 5].map(work));
  assert.deepEqual(order, [1, 2, 3, 4, 5]);
  assert.equal(maximum, 2);
  assert.ok(limiter.idle);
});

test("an abort while waiting throws its reason and costs no permit", async () => {
  const limiter = new Limiter(1);
  const release = await limiter.acquire(never);
  const stop = new AbortController();
  const waiting = limiter.acquire(stop.signal);
  stop.abort(new Error("enough"));
  await assert.rejects(waiting, { message: "enough" });
  await assert.rejects(limiter.acquire(stop.signal), { message: "enough" });
  release();
  assert.ok(limiter.idle);
  (await limiter.acquire(never))();
});

test("each key has a limit of its own", async () => {
  const limiter = new KeyedLimiter(1);
  const a = await limiter.acquire("a", never);
  const b = await limiter.acquire("b", never);
  let second = false;
  const waiting = limiter.acquire("a", never).then((release) => {
    second = true;
    release();
  });
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(second, false);
  a();
  await waiting;
  b();
});
