import assert from "node:assert/strict";
import { test } from "node:test";
import { assignHostIds as watched, dedupeTargets, type PlannedTarget } from "../../src/fleet/identity.js";
import { testPlan } from "../support/host-plan.js";

const identify = (hosts: readonly PlannedTarget[]) => watched(hosts).map(({ identity }) => identity);

function planned(typed: string, hostname: string, port = 22, user = "admin") {
  return {
    target: { host: typed, labels: { rack: "a1" }, origin: "--ssh" },
    plan: testPlan({ originalHost: typed, hostname, port, user }),
  };
}

test("a host id is the resolved address; the name stays as typed", () => {
  assert.deepEqual(identify([planned("dgx-01", "10.0.0.5", 2222)]), [
    {
      hostId: "admin@10.0.0.5:2222",
      target: "ssh://admin@dgx-01:2222",
      hostname: "dgx-01",
      labels: { rack: "a1" },
    },
  ]);
});

test("the target leaves out port 22, and keeps an IPv6 address in brackets", () => {
  const [host, six] = identify([planned("dgx-01", "dgx-01"), planned("2001:db8::7", "2001:db8::7", 2222)]);
  assert.equal(host?.target, "ssh://admin@dgx-01");
  assert.equal(host.hostId, "admin@dgx-01:22");
  assert.equal(six?.target, "ssh://admin@[2001:db8::7]:2222");
  assert.equal(six.hostId, "admin@[2001:db8::7]:2222");
});

test("the same private address behind two jump hosts is two hosts", () => {
  const ids = identify([planned("site-a-gpu", "10.0.0.5"), planned("site-b-gpu", "10.0.0.5")]).map(
    (host) => host.hostId,
  );
  assert.deepEqual(ids, ["admin@site-a-gpu:22", "admin@site-b-gpu:22"]);
});

test("no two hosts have the same id, whatever their names resolve to", () => {
  const cases = [
    [planned("a", "gateway"), planned("b", "gateway"), planned("c", "a")],
    [planned("c", "a"), planned("a", "c")],
    [planned("a", "b"), planned("b", "b")],
  ];
  for (const hosts of cases) {
    assert.equal(new Set(identify(hosts).map(({ hostId }) => hostId)).size, hosts.length);
  }
});

test("a target that config makes the same as another is watched once, with a warning", () => {
  const warnings: string[] = [];
  const bare = planned("dgx-01", "10.0.0.5", 2222);
  const kept = dedupeTargets(
    [
      bare,
      { ...bare, target: { ...bare.target, port: 2222, origin: "h.txt:2" } },
      planned("dgx-02", "10.0.0.5", 2222),
    ],
    (message) => warnings.push(message),
  );
  assert.deepEqual(
    kept.map(({ target }) => target.host),
    ["dgx-01", "dgx-02"],
  );
  assert.deepEqual(warnings, [
    "h.txt:2: dgx-01 is the same host as dgx-01 at --ssh (admin@dgx-01:2222); it is watched once",
  ]);
});
