import assert from "node:assert/strict";
import { test } from "node:test";
import { isOfShard } from "../../src/fleet/shard.js";

const hosts = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, i) => `dgx-${i + 1}.lan`);
/** Which shards of `count` watch the host. */
const shards = (host: string, count: number): readonly number[] =>
  Array.from({ length: count }, (_, index) => index).filter((index) =>
    isOfShard({ host, labels: {}, origin: "" }, { index, count }),
  );

test("3 shards of 1,000 hosts watch each once, in about equal parts", () => {
  const sizes = [0, 0, 0];
  for (const host of hosts(1000)) {
    const [own, ...others] = shards(host, 3);
    assert.ok(own !== undefined, host);
    assert.deepEqual(others, []);
    sizes[own] = (sizes[own] ?? 0) + 1;
  }
  for (const size of sizes) assert.ok(size > 270 && size < 400, sizes.join(" "));
});

test("a fourth shard takes hosts from the others, and moves none between them", () => {
  const moved = hosts(1000).filter((host) => shards(host, 3)[0] !== shards(host, 4)[0]);
  assert.ok(moved.length > 180 && moved.length < 320, String(moved.length));
  for (const host of moved) assert.deepEqual(shards(host, 4), [3]);
});

test("a host's part follows from its name alone, and stays what it was", () => {
  const target = { host: "DGX-1.lan", user: "root", port: 7, labels: { a: "b" }, origin: "x" };
  assert.ok(isOfShard(target, { index: shards("dgx-1.lan", 16)[0] ?? -1, count: 16 }));
  // Another release must not move hosts: processes of both run side by side during an update.
  assert.deepEqual(
    hosts(8).map((host) => shards(host, 16)[0]),
    [12, 13, 3, 2, 2, 4, 0, 1],
  );
});

test("many shards share evenly too", () => {
  const sizes = new Array<number>(50).fill(0);
  for (const host of hosts(5000))
    for (const shard of shards(host, 50)) sizes[shard] = (sizes[shard] ?? 0) + 1;
  assert.equal(
    sizes.reduce((sum, size) => sum + size, 0),
    5000,
  );
  assert.ok(Math.min(...sizes) > 55 && Math.max(...sizes) < 150, sizes.join(" "));
});
