import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import test from "node:test";
import { abortable, onAbort, pause, unlessAborted } from "../../src/lib/abort.js";
import { FakeClock } from "../support/fake-clock.js";

const listeners = (signal: AbortSignal): number => getEventListeners(signal, "abort").length;
const stopped = { message: "stop" };

function aborted(): AbortSignal {
  return AbortSignal.abort(new Error("stop"));
}

test("onAbort: at once where the signal has aborted, later, or never once it is removed", () => {
  const reasons: string[] = [];
  const note = (reason: Error): void => void reasons.push(reason.message);
  onAbort(aborted(), note)();
  assert.deepEqual(reasons, ["stop"]);
  const [late, removed] = [new AbortController(), new AbortController()];
  const remove = onAbort(late.signal, note);
  const removeOther = onAbort(removed.signal, note);
  removeOther();
  removeOther();
  assert.equal(listeners(removed.signal), 0);
  for (const stop of [late, removed]) stop.abort(new Error("later"));
  assert.deepEqual(reasons, ["stop", "later"]);
  assert.equal(listeners(late.signal), 0);
  remove();
});

test("abortable: an early abort starts nothing", async () => {
  await assert.rejects(
    abortable(aborted(), () => assert.fail("started")),
    stopped,
  );
});

test("abortable: the first of resolve, reject and abort counts, and each cleans up once", async () => {
  for (const first of ["resolve", "reject", "abort"] as const) {
    const stop = new AbortController();
    let cleanups = 0;
    let settle: { resolve(value: string): void; reject(error: unknown): void } | undefined;
    const promise = abortable<string>(stop.signal, (own) => {
      settle = own;
      return () => void (cleanups += 1);
    });
    assert.equal(listeners(stop.signal), 1);
    const acts = {
      resolve: () => settle?.resolve("value"),
      reject: () => settle?.reject(new Error("failed")),
      abort: () => stop.abort(new Error("stop")),
    };
    acts[first]();
    for (const act of Object.values(acts)) act();
    const outcome = await promise.catch((error: unknown) => (error as Error).message);
    assert.equal(outcome, { resolve: "value", reject: "failed", abort: "stop" }[first]);
    assert.equal(cleanups, 1);
    assert.equal(listeners(stop.signal), 0);
  }
});

test("abortable: work that ends while it is started is cleaned up too, and what it throws rejects", async () => {
  const { signal } = new AbortController();
  let cleanups = 0;
  const value = await abortable(signal, ({ resolve }) => {
    resolve("at once");
    return () => void (cleanups += 1);
  });
  assert.deepEqual([value, cleanups], ["at once", 1]);
  const throwing = abortable(signal, () => {
    throw new Error("failed");
  });
  await assert.rejects(throwing, { message: "failed" });
  assert.equal(listeners(signal), 0);
});

test("unlessAborted: settles as the promise, or with the abort, early or late", async () => {
  const { signal } = new AbortController();
  assert.equal(await unlessAborted(Promise.resolve("value"), signal), "value");
  await assert.rejects(unlessAborted(Promise.reject(new Error("failed")), signal), { message: "failed" });
  assert.equal(listeners(signal), 0);
  // An error that nobody waits for any more must not end the process.
  await assert.rejects(unlessAborted(Promise.reject(new Error("failed")), aborted()), stopped);
  const stop = new AbortController();
  const waiting = unlessAborted(new Promise(() => undefined), stop.signal);
  stop.abort(new Error("stop"));
  await assert.rejects(waiting, stopped);
  assert.equal(listeners(stop.signal), 0);
});

test("unlessAborted: a value that comes after the abort is discarded, and only then", async () => {
  const discarded: string[] = [];
  const discard = (value: string): void => void discarded.push(value);
  const { signal } = new AbortController();
  await unlessAborted(Promise.resolve("in time"), signal, discard);
  await assert.rejects(unlessAborted(Promise.resolve("before"), aborted(), discard), stopped);
  const stop = new AbortController();
  let open: (value: string) => void = () => undefined;
  const waiting = unlessAborted(new Promise<string>((resolve) => (open = resolve)), stop.signal, discard);
  stop.abort(new Error("stop"));
  await assert.rejects(waiting, stopped);
  open("after");
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(discarded, ["before", "after"]);
});

test("pause: ends with its time or with the signal, and leaves neither timer nor listener", async () => {
  const clock = new FakeClock();
  const stop = new AbortController();
  let ended = false;
  const whole = pause(clock, 100, stop.signal).then(() => (ended = true));
  await clock.advance(99);
  assert.equal(ended, false);
  await clock.advance(1);
  await whole;
  const cut = pause(clock, 100, stop.signal);
  stop.abort(new Error("stop"));
  await assert.rejects(cut, stopped);
  await assert.rejects(pause(clock, 100, stop.signal), stopped);
  assert.deepEqual([clock.timers, listeners(stop.signal)], [0, 0]);
});
