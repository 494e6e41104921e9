import assert from "node:assert/strict";
import test from "node:test";
import { HandshakeGate, type Place } from "../../../src/ssh/dial/handshake-gate.js";
import { FakeClock } from "../../support/fake-clock.js";

const never = new AbortController().signal;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("no more handshakes at once than places, first come first served", async () => {
  const gate = new HandshakeGate(new FakeClock(), 2);
  const inside: string[] = [];
  const places = new Map<string, Place>();
  for (const host of ["a", "b", "c", "d"]) {
    void gate.enter(host, never).then((place) => {
      place.received();
      inside.push(host);
      places.set(host, place);
    });
  }
  await turn();
  assert.deepEqual(inside, ["a", "b"]);
  places.get("b")?.leave();
  places.get("b")?.leave();
  await turn();
  assert.deepEqual(inside, ["a", "b", "c"]);
  places.get("a")?.leave();
  await turn();
  assert.deepEqual(inside, ["a", "b", "c", "d"]);
});

test("a silent host gives its place back, and takes none until it sends something", async () => {
  const clock = new FakeClock();
  const gate = new HandshakeGate(clock, 1);
  await gate.enter("hung", never);
  let entered = false;
  const next = gate.enter("live", never).then((place) => {
    entered = true;
    return place;
  });
  await clock.advance(400);
  assert.equal(entered, false);
  await clock.advance(200);
  const live = await next;
  live.received();
  await clock.advance(1_000);
  // The one place is taken; the hung host does not wait for it.
  const again = await gate.enter("hung", never);
  again.received();
  again.leave();
  // It sent something and finished: from now on it waits like the others.
  const aborted = new AbortController();
  const waiting = assert.rejects(gate.enter("hung", aborted.signal), /stop/);
  await turn();
  aborted.abort(new Error("stop"));
  await waiting;
  live.leave();
  await gate.enter("hung", never);
});

test("a host that froze in its handshake gives its place back", async () => {
  const clock = new FakeClock();
  const gate = new HandshakeGate(clock, 1);
  const frozen = await gate.enter("frozen", never);
  frozen.received();
  let entered = false;
  const next = gate.enter("live", never).then(() => (entered = true));
  await clock.advance(1_900);
  assert.equal(entered, false);
  await clock.advance(200);
  await next;
  frozen.leave();
  const again = new AbortController();
  const third = assert.rejects(gate.enter("third", again.signal), /stop/);
  await turn();
  again.abort(new Error("stop"));
  await third;
});
