import assert from "node:assert/strict";
import { test } from "node:test";
import { LateSources, merge } from "../../src/lib/merge.js";
import { FakeClock } from "../support/fake-clock.js";

interface Source {
  readonly items: AsyncGenerator<string, void>;
  readonly pulled: number;
  readonly returned: boolean;
}

function source(name: string, count: number, pause: () => Promise<void> = () => Promise.resolve()): Source {
  const counts = { pulled: 0, returned: false };
  const items = (async function* (): AsyncGenerator<string, void> {
    try {
      for (let i = 0; i < count; i++) {
        await pause();
        counts.pulled += 1;
        yield `${name}${i}`;
      }
    } finally {
      counts.returned = true;
    }
  })();
  return {
    items,
    get pulled() {
      return counts.pulled;
    },
    get returned() {
      return counts.returned;
    },
  };
}

test("all items of all sources come, each source in its own order", async () => {
  const all: string[] = [];
  for await (const batch of merge([source("a", 5).items, source("b", 3).items, source("c", 0).items]))
    all.push(...batch);
  assert.equal(all.length, 8);
  for (const name of ["a", "b"]) {
    const own = all.filter((item) => item.startsWith(name));
    assert.deepEqual(own, [...own].sort());
  }
});

test("a source that never answers delays no other", async () => {
  const dead = source("dead", 1, () => new Promise(() => undefined));
  const merged = merge([dead.items, source("live", 3).items]);
  const seen: string[] = [];
  while (seen.length < 3) {
    const step = await merged.next();
    assert(step.done !== true);
    seen.push(...step.value);
  }
  assert.deepEqual(seen, ["live0", "live1", "live2"]);
});

test("a source is resumed only when its item was consumed", async () => {
  const one = source("a", 10);
  const merged = merge([one.items]);
  await merged.next();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(one.pulled, 1);
  await merged.next();
  assert.equal(one.pulled, 2);
  await merged.return();
  assert.equal(one.returned, true);
});

test("a source's error rejects the merge, and the others are ended", async () => {
  const other = source("b", 100);
  const broken = (async function* (): AsyncGenerator<string, void> {
    yield "a0";
    await Promise.resolve();
    throw new Error("bug");
  })();
  await assert.rejects(async () => {
    for await (const batch of merge([broken, other.items])) assert.ok(batch.length > 0);
  }, /bug/);
  assert.equal(other.returned, true);
});

test("a few items of one turn are one batch; a burst comes in several, each as soon as it is full", async () => {
  const sizesOf = async (count: number): Promise<readonly number[]> => {
    // One after the other, as sockets are read: each is handled before the next.
    const inTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    const sources = Array.from({ length: count }, () => source("s", 1, inTurn).items);
    const sizes: number[] = [];
    for await (const batch of merge(sources)) sizes.push(batch.length);
    return sizes;
  };
  assert.deepEqual(await sizesOf(3), [3]);
  assert.deepEqual(await sizesOf(40), [16, 16, 8]);
});

test("items that came while a batch was written come in several batches, in order", async () => {
  const sources = Array.from({ length: 200 }, (_, index) => source(`${index}-`, 1).items);
  const merged = merge(sources);
  const sizes: number[] = [];
  const yielded: string[] = [];
  for await (const batch of merged) {
    sizes.push(batch.length);
    yielded.push(...batch);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.deepEqual(
    yielded,
    sources.map((_, index) => `${index}-0`),
  );
  assert.deepEqual(sizes, [64, 64, 64, 8]);
});

test("with a gathering time the first item waits for others, and no longer than the last source", async () => {
  const clock = new FakeClock();
  const after = (ms: number) => (): Promise<void> => new Promise((resolve) => void clock.after(ms, resolve));
  const merged = merge(
    [source("a", 1, after(1)).items, source("b", 1, after(8)).items, source("c", 1, after(30)).items],
    { clock, ms: 10 },
  );
  const first = merged.next();
  await clock.advance(10);
  let isThere = false;
  void first.then(() => (isThere = true));
  await clock.advance(0);
  assert.equal(isThere, false);
  await clock.advance(1);
  assert.deepEqual((await first).value, ["a0", "b0"]);
  const second = merged.next();
  await clock.advance(30);
  assert.deepEqual((await second).value, ["c0"]);
  assert.equal((await merged.next()).done, true);
  assert.equal(clock.timers, 0);
});

test("a source that is added later is read like the others, and returned with them", async () => {
  const late = new LateSources<string>();
  const [early, added, unread] = [source("a", 1), source("b", 2), source("c", 1)];
  late.add(early.items);
  const merged = merge([source("d", 1).items], null, late);
  const seen: string[] = [];
  for await (const batch of merged) {
    seen.push(...batch);
    if (seen.includes("a0") && added.pulled === 0) late.add(added.items);
    if (seen.includes("b1")) break;
  }
  assert.deepEqual(seen.sort(), ["a0", "b0", "b1", "d0"]);
  assert.equal(added.returned, true);
  // The merge has ended: nobody would read it.
  late.add(unread.items);
  assert.equal((await unread.items.next()).done, true);
});
