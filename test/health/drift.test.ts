import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { FrameRecord } from "../../src/contract/record.js";
import { driftIn, driftLine } from "../../src/health/drift.js";
import { frame, gpu } from "../support/records.js";

type Host = [
  hostname: string,
  labels: Readonly<Record<string, string>>,
  driver: string | null,
  gpus?: number,
];
const host = ([hostname, labels, driver, gpus = 2]: Host): FrameRecord =>
  frame({
    hostname,
    labels,
    gpus: Array.from({ length: gpus }, (_, index) => gpu({ index, driver_version: driver })),
  });

describe("drift", () => {
  const cases: [name: string, hosts: readonly Host[], lines: readonly string[]][] = [
    [
      "none",
      [
        ["a", {}, "580.1"],
        ["b", {}, "580.1"],
      ],
      [],
    ],
    [
      "one of three",
      [
        ["a", {}, "580.1"],
        ["b", {}, "570.2"],
        ["c", {}, "580.1"],
      ],
      ["driver version 580.1 on 2 hosts, but 570.2 on b"],
    ],
    [
      "groups that differ from each other do not drift",
      [
        ["a", { rack: "1" }, "580.1"],
        ["b", { rack: "1" }, "580.1"],
        ["c", { rack: "2" }, "570.2"],
      ],
      [],
    ],
    [
      "in a group, and the GPU count",
      [
        ["a", { rack: "1" }, "580.1", 8],
        ["b", { rack: "1" }, "580.1", 7],
        ["c", { rack: "1" }, "580.1", 8],
      ],
      ["rack=1: GPU count 8 on 2 hosts, but 7 on b"],
    ],
    [
      "two labels of the same hosts: once",
      [
        ["a", { rack: "1", zone: "x" }, "580.1"],
        ["b", { rack: "1", zone: "x" }, "570.2"],
      ],
      ["rack=1: driver version 580.1 on 1 host, but 570.2 on b"],
    ],
    [
      "what is not known is not compared",
      [
        ["a", {}, "580.1"],
        ["b", {}, null],
      ],
      [],
    ],
    [
      "expectations are no groups",
      [
        ["a", { "expect.gpus": "8" }, "580.1"],
        ["b", { "expect.gpus": "8" }, "570.2"],
      ],
      ["driver version 580.1 on 1 host, but 570.2 on b"],
    ],
    [
      "many",
      [
        ["a", {}, "1"],
        ["b", {}, "1"],
        ...["c", "d", "e", "f", "g", "h", "i"].map((name): Host => [name, {}, name < "d" ? "1" : "2"]),
      ],
      ["driver version 2 on 6 hosts, but 1 on a, b, c"],
    ],
  ];
  for (const [name, hosts, lines] of cases) {
    test(name, () =>
      assert.deepEqual(
        driftIn(hosts.map(host)).map((drift) => driftLine(drift)),
        lines,
      ),
    );
  }
  test("a host with two drivers is itself the odd one", () => {
    const mixed = frame({
      hostname: "m",
      gpus: [gpu({ driver_version: "1" }), gpu({ index: 1, driver_version: "2" })],
    });
    const lines = driftIn([host(["a", {}, "1"]), host(["b", {}, "1"]), mixed]).map((drift) =>
      driftLine(drift),
    );
    assert.deepEqual(lines, ["driver version 1 on 2 hosts, but 1 + 2 on m"]);
  });
});

test("whoever is odd is a host of the group with another value than the usual one, and the usual is the most common", () => {
  const hosts = fc.array(fc.tuple(fc.constantFrom("1", "2", "3"), fc.integer({ min: 1, max: 3 })), {
    maxLength: 8,
  });
  fc.assert(
    fc.property(hosts, (made) => {
      const frames = made.map(([driver, count], at) => host([`h${at}`, {}, driver, count]));
      for (const { usualHosts, odd } of driftIn(frames)) {
        assert.ok(odd.length > 0 && usualHosts + odd.length === frames.length);
        const counts = new Map<string, number>();
        for (const { value } of odd) counts.set(value, (counts.get(value) ?? 0) + 1);
        assert.ok([...counts.values()].every((count) => count <= usualHosts));
      }
    }),
  );
});
