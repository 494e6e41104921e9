import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fleetChange } from "../../src/fleet/fleet-change.js";
import type { WatchedTarget } from "../../src/fleet/identity.js";
import { shareOfChange } from "../../src/sources/threads/changed-shares.js";

function host(name: string, labels: Readonly<Record<string, string>> = {}): WatchedTarget {
  const hostId = `u@${name}:22`;
  return {
    target: { host: name, labels, origin: "hosts:1" },
    ...{ plan: null, why: "not planned", localUser: "u" },
    identity: { hostId, target: `ssh://u@${name}`, hostname: name, labels },
  };
}

const ids = (hosts: readonly WatchedTarget[]): string[] => hosts.map(({ identity }) => identity.hostname);

describe("a change of the list of hosts", () => {
  test("names what was added, removed and relabelled, and nothing else", () => {
    const before = [host("a"), host("b", { rack: "1" }), host("c")];
    const change = fleetChange(before, [host("d"), host("b", { rack: "2" }), host("a")]);
    assert.deepEqual(ids(change.added), ["d"]);
    assert.deepEqual(
      change.removed.map(({ hostId }) => hostId),
      ["u@c:22"],
    );
    assert.deepEqual(
      change.renamed.map(({ hostId, labels }) => [hostId, labels]),
      [["u@b:22", { rack: "2" }]],
    );
    assert.deepEqual(fleetChange(before, [...before].reverse()), { added: [], removed: [], renamed: [] });
  });

  test("a host with another tool path is ended and begun again", () => {
    const after = host("a", { "tool.nvidia-smi": "/opt/x" });
    const change = fleetChange([host("a", { rack: "1" })], [after]);
    assert.deepEqual(ids(change.added), ["a"]);
    assert.match(change.removed[0]?.message ?? "", /tool\.NAME/);
    assert.deepEqual(change.renamed, []);
  });
});

describe("the parts of a change for threads", () => {
  const shares = [[host("a"), host("b"), host("c")], [host("d")]];

  test("each thread gets what is about its own hosts, and new hosts go where there are fewest", () => {
    const change = fleetChange(shares.flat(), [
      ...[host("a"), host("b"), host("c", { x: "1" }), host("e"), host("f"), host("g")],
    ]);
    const [first, second] = shareOfChange(change, shares);
    assert.deepEqual(ids(first?.watched ?? []), ["a", "b", "c"]);
    assert.deepEqual(first?.change?.renamed.length, 1);
    assert.deepEqual(first.change.removed, []);
    assert.deepEqual(ids(second?.watched ?? []), ["e", "f", "g"]);
    assert.deepEqual(second?.change?.removed.length, 1);
    assert.deepEqual(ids(second.change.added), ["e", "f", "g"]);
  });

  test("a host that is begun again stays on its thread, and a thread without a change gets none", () => {
    const again = host("b", { "tool.all-smi": "/opt/y" });
    const change = fleetChange(shares.flat(), [host("a"), again, host("c"), host("d")]);
    const [first, second] = shareOfChange(change, shares);
    assert.deepEqual(ids(first?.change?.added ?? []), ["b"]);
    assert.deepEqual(ids(first?.watched ?? []), ["a", "c", "b"]);
    assert.equal(second?.change, null);
  });
});
