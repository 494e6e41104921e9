import assert from "node:assert/strict";
import { Duplex } from "node:stream";
import test from "node:test";
import { HostError } from "../../../src/contract/errors.js";
import { JumpPool, type JumpSession, type OpenJump } from "../../../src/ssh/jump/pool.js";
import { FakeClock } from "../../support/fake-clock.js";

class Session implements JumpSession {
  closed = 0;
  lose: (error: HostError) => void = () => undefined;
  readonly lost = new Promise<HostError>((resolve) => (this.lose = resolve));
  forward(): Promise<Duplex> {
    return Promise.resolve(new Duplex());
  }
  close(): Promise<void> {
    this.closed += 1;
    return Promise.resolve();
  }
}

const never = new AbortController().signal;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const notExpected: OpenJump = () => assert.fail("a second session");

test("all targets share one session, which ends with the last of them", async () => {
  const pool = new JumpPool(new FakeClock());
  const session = new Session();
  const leases = await Promise.all([
    pool.acquire("a", () => Promise.resolve(session), never),
    pool.acquire("a", notExpected, never),
    pool.acquire("a", notExpected, never),
  ]);
  leases[0].release();
  leases[0].release();
  leases[1].release();
  assert.equal(session.closed, 0);
  leases[2].release();
  assert.equal(session.closed, 1);
  const next = new Session();
  const lease = await pool.acquire("a", () => Promise.resolve(next), never);
  assert.equal(lease.session, next);
});

test("a session that dies is replaced, and its leases know why", async () => {
  const pool = new JumpPool(new FakeClock());
  const first = new Session();
  const lease = await pool.acquire("a", () => Promise.resolve(first), never);
  const gone = new HostError("keepalive-timeout", "sample", "no answer");
  first.lose(gone);
  await turn();
  assert.equal(lease.lostBy(), gone);
  const second = new Session();
  const next = await pool.acquire("a", () => Promise.resolve(second), never);
  assert.equal(next.lostBy(), null);
  lease.release();
  assert.equal(second.closed, 0);
});

test("waiting targets share one failure; a failed jump host is in cooldown for a while", async () => {
  const clock = new FakeClock();
  const pool = new JumpPool(clock);
  const refused = new HostError("connection-refused", "dial", "refused");
  let attempts = 0;
  const open: OpenJump = () => {
    attempts += 1;
    return Promise.reject(refused);
  };
  const both = await Promise.allSettled([pool.acquire("a", open, never), pool.acquire("a", open, never)]);
  assert.deepEqual(
    both.map((result) => result.status),
    ["rejected", "rejected"],
  );
  assert.equal(attempts, 1);
  for (const [waitMs, expected] of [
    [900, 1],
    [200, 2],
    [1900, 2],
    [200, 3],
    [30_000, 4],
    [7_000, 4],
  ] as const) {
    await clock.advance(waitMs);
    await assert.rejects(pool.acquire("a", open, never), refused);
    assert.equal(attempts, expected, `after ${waitMs} ms more`);
  }
  const denied = new HostError("auth-failed", "auth", "denied");
  await assert.rejects(
    pool.acquire("b", () => Promise.reject(denied), never),
    denied,
  );
  await clock.advance(299_000);
  await assert.rejects(pool.acquire("b", notExpected, never), denied);
  await clock.advance(2_000);
  const lease = await pool.acquire("b", () => Promise.resolve(new Session()), never);
  assert.equal(lease.lostBy(), null);
});

test("an attempt is aborted with the last target that waits for it", async () => {
  const pool = new JumpPool(new FakeClock());
  const stops = [new AbortController(), new AbortController()];
  let given: AbortSignal | null = null;
  const open: OpenJump = (signal) => {
    given = signal;
    return new Promise((_, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason as Error));
    });
  };
  const waits = stops.map((stop) => assert.rejects(pool.acquire("a", open, stop.signal), /enough/));
  const aborted = (): boolean => given?.aborted ?? false;
  stops[0]?.abort(new Error("enough"));
  await waits[0];
  assert.equal(aborted(), false);
  stops[1]?.abort(new Error("enough"));
  await waits[1];
  assert.equal(aborted(), true);
  const session = new Session();
  await pool.acquire("a", () => Promise.resolve(session), never);
});

test("a session that opens after all targets were aborted is closed", async () => {
  const pool = new JumpPool(new FakeClock());
  const stop = new AbortController();
  const session = new Session();
  let opened: (session: JumpSession) => void = () => undefined;
  const waiting = pool.acquire("a", () => new Promise((resolve) => (opened = resolve)), stop.signal);
  const rejected = assert.rejects(waiting);
  stop.abort(new Error("enough"));
  await rejected;
  opened(session);
  await turn();
  assert.equal(session.closed, 1);
});
