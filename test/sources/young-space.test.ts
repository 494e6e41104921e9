import assert from "node:assert/strict";
import { after, test } from "node:test";
import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";
import { limitYoungSpace } from "../../src/sources/young-space.js";
import { FakeClock } from "../support/fake-clock.js";

const MIB = 1024 * 1024;
const youngMib = (): number =>
  (getHeapSpaceStatistics().find((space) => space.space_name === "new_space")?.space_size ?? NaN) / MIB;

/** Lets many objects live through a few collections, so that V8 wants more space for young ones. */
function makeSurvivors(): void {
  const kept: object[][] = [];
  for (let round = 0; round < 40; round++) {
    kept.push(Array.from({ length: 40_000 }, (_, each) => ({ round, each, text: `${each}` })));
    if (kept.length > 2) kept.shift();
  }
}

// V8's own factor, for the tests that follow in this process.
after(() => setFlagsFromString("--semi-space-growth-factor=2"));

test("a fleet that is not small is not looked after", () => {
  const clock = new FakeClock();
  limitYoungSpace(65, clock);
  assert.equal(clock.timers, 0);
});

test("a small fleet is looked after until it is closed, or there is enough, and the young space grows no more", async () => {
  const clock = new FakeClock();
  if (youngMib() < 8) {
    const closed = limitYoungSpace(1, clock);
    assert.equal(clock.timers, 1);
    await clock.advance(60_000);
    assert.equal(clock.timers, youngMib() < 8 ? 1 : 0);
    closed.cancel();
    assert.equal(clock.timers, 0);
  }
  limitYoungSpace(64, clock);
  for (let round = 0; round < 20 && clock.timers > 0; round++) {
    makeSurvivors();
    await clock.advance(5000);
  }
  assert.equal(clock.timers, 0, "there is enough");
  const enough = youngMib();
  assert.ok(enough >= 8, `${enough} MiB`);
  for (let round = 0; round < 5; round++) makeSurvivors();
  assert.ok(youngMib() <= enough, `${youngMib()} MiB after ${enough}`);
});
