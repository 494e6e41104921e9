import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { Host, NetworkPort } from "../../src/contract/record.js";
import { HOST_STATE, parseHostState } from "../../src/system/host-state.js";
import { NETWORK, parseNetwork } from "../../src/system/network.js";
import { makeTempDir } from "../support/temp-dir.js";

/** What a part prints for a tree of files, as sh runs it. */
function printed(command: string, files: Readonly<Record<string, string>>): string {
  const temp = makeTempDir("sysfs");
  try {
    for (const [path, text] of Object.entries(files)) {
      const file = join(temp.path, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
    }
    const rooted = command.replaceAll(/ \/(sys|proc|etc)\//g, ` ${temp.path}/$1/`);
    const script = `b() { "$@"; }; ${rooted}; true`;
    return execFileSync("sh", ["-c", script], { encoding: "utf8" }).replaceAll(temp.path, "");
  } finally {
    temp.remove();
  }
}

const network = (files: Readonly<Record<string, string>>): readonly NetworkPort[] =>
  parseNetwork(printed(NETWORK.command, files));
const host = (files: Readonly<Record<string, string>>): Host | null =>
  parseHostState(printed(HOST_STATE.command, files));

describe("network", () => {
  const card = (name: string, more: Readonly<Record<string, string>> = {}): Record<string, string> => {
    const files: Record<string, string> = {
      operstate: "up\n",
      type: "1\n",
      "device/uevent": "DRIVER=e1000e\nPCI_SLOT_NAME=0000:00:1f.6\n",
      ...more,
    };
    return Object.fromEntries(
      Object.entries(files).map(([file, text]) => [`sys/class/net/${name}/${file}`, text]),
    );
  };
  test("a card, in the order of names", () => {
    const ports = network({ ...card("eth10"), ...card("eth2", { speed: "1000\n", mtu: "1500\n" }) });
    assert.deepEqual(
      ports.map(({ index, name, speed_mbps: speed, driver }) => [index, name, speed, driver]),
      [
        [0, "eth2", 1000, "e1000e"],
        [1, "eth10", null, "e1000e"],
      ],
    );
  });
  const speeds: readonly [string, number | null][] = [
    ["-1\n", null],
    ["0\n", null],
    ["400000\n", 400_000],
    ["fast\n", null],
  ];
  for (const [text, expected] of speeds)
    test(`speed ${text.trim()}`, () =>
      assert.equal(network(card("e", { speed: text }))[0]?.speed_mbps, expected));
  test("what is virtual is not listed, a bond is", () => {
    const files = {
      "sys/class/net/lo/operstate": "unknown\n",
      "sys/class/net/docker0/operstate": "up\n",
      "sys/class/net/bond0/operstate": "up\n",
      "sys/class/net/bond0/bonding/mode": "active-backup 1\n",
    };
    assert.deepEqual(
      network(files).map(({ name, kind }) => [name, kind]),
      [["bond0", "bond"]],
    );
  });
  test("a host without any", () => assert.deepEqual(network({}), []));
  test("control characters in a device's name do not get into the record", () => {
    const names = parseNetwork(
      "/sys/class/net/\u001b[31meth0/device/uevent:DRIVER=e1000e\n" +
        "/sys/class/infiniband/\u001b[31mmlx5_0/ports/1/state:4: ACTIVE\n",
    ).map(({ name }) => name);
    assert.equal(names.length, 2);
    for (const name of names) assert.doesNotMatch(name, /\p{Cc}/u);
  });
  test("rates of InfiniBand", () => {
    for (const [rate, expected] of [
      ["2.5 Gb/sec (1X SDR)", 2500],
      ["200 Gb/sec (4X HDR)", 200_000],
      ["unknown", null],
    ] as const) {
      const [port] = network({
        "sys/class/infiniband/mlx5_0/ports/1/state": "4: ACTIVE\n",
        "sys/class/infiniband/mlx5_0/ports/1/rate": `${rate}\n`,
      });
      assert.equal(port?.speed_mbps, expected);
      assert.equal(port.state, "ACTIVE");
    }
  });
});

describe("host", () => {
  const KERNEL = { "proc/sys/kernel/osrelease": "6.1.0\n" };
  test("what is not there is null or empty", () => {
    const none = { cpu_some: null, memory_some: null, memory_full: null, io_some: null, io_full: null };
    assert.deepEqual(host(KERNEL), {
      ...{ index: 0, boot_id: null, uptime_seconds: null, os: null, kernel: "6.1.0", driver_versions: {} },
      ...{ pressure: none, numa_nodes: [], disks: [] },
    });
    assert.equal(parseHostState(""), null);
  });
  const names: readonly [string, string | null][] = [
    ['PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"', "Debian GNU/Linux 12 (bookworm)"],
    ["PRETTY_NAME='Rocky Linux'", "Rocky Linux"],
    ["PRETTY_NAME=Arch", "Arch"],
    ['PRETTY_NAME="a \\"b\\""', 'a "b"'],
    ["NAME=x", null],
    ["PRETTY_NAME=", null],
  ];
  for (const [line, os] of names)
    test(line, () => assert.equal(host({ ...KERNEL, "etc/os-release": `${line}\n` })?.os, os));
});

test("any text: clean strings, counts of 0 and more, nothing invented", () => {
  const line = fc
    .tuple(
      fc.constantFrom(
        ...["/sys/class/net/e/speed", "/sys/class/net/e/device/uevent", "/proc/uptime"],
        ...["/sys/class/infiniband/m/ports/1/state", "/sys/class/infiniband/m/ports/1/rate"],
        ...["/sys/block/sda/device/state", "/proc/pressure/io", "/sys/devices/system/node/node0/meminfo"],
      ),
      fc.oneof(
        fc.string({ unit: "binary", maxLength: 30 }),
        fc.constantFrom("-1", "1e9", "NaN", "4: ACTIVE"),
      ),
    )
    .map(([path, text]) => `${path}:${text}`);
  fc.assert(
    fc.property(fc.array(line, { maxLength: 20 }), (lines) => {
      const text = lines.join("\n");
      const check = (value: unknown): void => {
        if (typeof value === "number") assert.ok(Number.isFinite(value) && value >= 0);
        if (typeof value === "string") assert.doesNotMatch(value, /[\u0000-\u001f\u007f-\u009f]/);
        if (typeof value === "object" && value !== null) Object.values(value).forEach(check);
      };
      check(parseNetwork(text));
      check(parseHostState(text));
    }),
  );
});
