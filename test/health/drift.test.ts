import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { FrameRecord, Gpu, StreamRecord } from "../../src/contract/record.js";
import { compareHosts, driftLine, traitsOf } from "../../src/health/drift.js";
import { frame, gpu, state } from "../support/records.js";

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

const linesOf = (records: readonly StreamRecord[]): readonly string[] =>
  compareHosts(records.map(traitsOf)).drifts.map((drift) => driftLine(drift, 5));

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
      ["rack=1: driver version differs: 580.1 on a; 570.2 on b"],
    ],
    [
      "the same odd host in two groups: once",
      [
        ["a", { rack: "1", site: "x" }, "580.1"],
        ["b", { rack: "1", site: "x" }, "570.2"],
        ["c", { rack: "1", site: "x" }, "580.1"],
        ["d", { rack: "2", site: "x" }, "580.1"],
        ["e", { rack: "2", site: "x" }, "580.1"],
      ],
      ["rack=1: driver version 580.1 on 2 hosts, but 570.2 on b"],
    ],
    [
      "a label that each host has with a value of its own groups nothing",
      [
        ["a", { serial: "1", rack: "1" }, "580.1"],
        ["b", { serial: "2", rack: "1" }, "570.2"],
        ["c", { serial: "3", rack: "1" }, "580.1"],
      ],
      ["rack=1: driver version 580.1 on 2 hosts, but 570.2 on b"],
    ],
    [
      "with such labels alone all hosts are one group",
      [
        ["a", { serial: "1" }, "580.1"],
        ["b", { serial: "2" }, "570.2"],
        ["c", { serial: "3" }, "580.1"],
      ],
      ["driver version 580.1 on 2 hosts, but 570.2 on b"],
    ],
    [
      "as many with one value as with another: nobody is the odd one",
      [
        ["a", {}, "1"],
        ["b", {}, "2"],
        ["c", {}, "1"],
        ["d", {}, "2"],
        ["e", {}, "3"],
      ],
      ["driver version differs: 1 on a, c; 2 on b, d; 3 on e"],
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
      ["driver version differs: 580.1 on a; 570.2 on b"],
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
    test(name, () => assert.deepEqual(linesOf(hosts.map(host)), lines));
  }
  test("a host with two drivers is itself the odd one", () => {
    const mixed = frame({
      hostname: "m",
      gpus: [gpu({ driver_version: "1" }), gpu({ index: 1, driver_version: "2" })],
    });
    const lines = linesOf([host(["a", {}, "1"]), host(["b", {}, "1"]), mixed]);
    assert.deepEqual(lines, ["driver version 1 on 2 hosts, but 1 + 2 on m"]);
  });
  test("each trait that is compared", () => {
    const usual = { name: "H100", power_limit: 700, pcie_link_width: 16, mig_mode: false };
    const detail = { driver_version: "580.1", vbios_version: "96.1", ecc_mode: "Enabled" };
    const cases: [changes: Partial<Gpu>, line: string][] = [
      [{ name: "H200" }, "GPU model H100 on 2 hosts, but H200 on odd"],
      [
        { detail: { ...detail, driver_version: "570.2" } },
        "driver version 580.1 on 2 hosts, but 570.2 on odd",
      ],
      [{ detail: { ...detail, vbios_version: "96.2" } }, "VBIOS version 96.1 on 2 hosts, but 96.2 on odd"],
      [{ power_limit: 500 }, "power limit 700 W on 2 hosts, but 500 W on odd"],
      [{ pcie_link_width: 8 }, "PCIe width x16 on 2 hosts, but x8 on odd"],
      [{ detail: { ...detail, ecc_mode: "Disabled" } }, "ECC mode Enabled on 2 hosts, but Disabled on odd"],
      [{ mig_mode: true }, "MIG mode off on 2 hosts, but on on odd"],
    ];
    for (const [changes, line] of cases) {
      const one = (hostname: string, own: Partial<Gpu>): StreamRecord =>
        frame({ hostname, gpus: [gpu({ ...usual, detail, ...own })] });
      assert.deepEqual(linesOf([one("a", {}), one("b", {}), one("odd", changes)]), [line]);
    }
  });
  test("VBIOS and settings are compared among hosts with the same model, which is named where there are more", () => {
    const one = (hostname: string, name: string, vbios: string): StreamRecord =>
      frame({ hostname, labels: { rack: "1" }, gpus: [gpu({ name, detail: { vbios_version: vbios } })] });
    const hosts = [one("a", "H100", "96.1"), one("b", "H100", "96.1"), one("c", "H100", "96.2")];
    assert.deepEqual(linesOf([...hosts, one("d", "A100", "92.1")]), [
      "rack=1: GPU model H100 on 3 hosts, but A100 on d",
      "rack=1, H100: VBIOS version 96.1 on 2 hosts, but 96.2 on c",
    ]);
  });
  test("a host without a frame is compared with none, and leaves its group a group", () => {
    const hosts = [
      host(["a", { rack: "1" }, "580.1"]),
      state({ hostname: "b", labels: { rack: "1" } }),
      host(["c", { rack: "2" }, "570.2"]),
    ];
    assert.deepEqual(compareHosts(hosts.map(traitsOf)), { drifts: [], compared: 0 });
  });
  test("a GPU that failed has no traits, and is counted", () => {
    const failed = frame({
      hostname: "b",
      gpus: [gpu({ driver_version: "1" }), gpu({ index: 1, error: "lost" })],
    });
    assert.deepEqual(linesOf([host(["a", {}, "1"]), failed]), []);
  });
  test("reports how many hosts could be compared", () => {
    const hosts = [host(["a", {}, "1"]), host(["b", {}, "1"]), state({ hostname: "c" })];
    assert.deepEqual(compareHosts(hosts.map(traitsOf)), { drifts: [], compared: 2 });
  });
});

test("whoever is odd is a host with another value than the usual one, and the usual one is the most common", () => {
  const hosts = fc.array(fc.tuple(fc.constantFrom("1", "2", "3"), fc.integer({ min: 1, max: 3 })), {
    maxLength: 8,
  });
  fc.assert(
    fc.property(hosts, (made) => {
      const frames = made.map(([driver, count], at) => host([`h${at}`, {}, driver, count]));
      for (const { usual, odd } of compareHosts(frames.map(traitsOf)).drifts) {
        assert.equal((usual?.hosts ?? 0) + odd.length, frames.length);
        const counts = new Map<string, number>();
        for (const { value } of odd) counts.set(value, (counts.get(value) ?? 0) + 1);
        const [first = 0, second = 0] = [...counts.values()].sort((a, b) => b - a);
        if (usual === null) assert.equal(first, second);
        else assert.ok(!counts.has(usual.value) && first < usual.hosts);
      }
    }),
  );
});
