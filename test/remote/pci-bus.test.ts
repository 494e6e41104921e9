/** What a PCI bus shows of accelerators: devices as the script lists them, and the screens that are none. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { hasNoAccelerator, readPciBus, UNKNOWN_BUS } from "../../src/remote/pci-bus.js";
import type { PartEnd, PartOutput } from "../../src/shims/kit/shim.js";
import { pciDevice } from "../support/fake-bus.js";

function output(lines: readonly string[], end: PartEnd = { kind: "exit", code: 0 }): PartOutput {
  return { stdout: lines.map((line) => `${line}\n`).join(""), stderr: "", end };
}

/** As the script prints a device; `text` as in `lspci -n`. */
function line(text: string): string {
  const { at, class: code, vendor, device } = pciDevice(text);
  return `${String(code)} ${String(vendor)} ${String(device)} ${at}`;
}

const NOTHING_ELSE = ["", "", ""];

const ACCELERATORS: readonly (readonly [what: string, device: string])[] = [
  ["H100", "0302 10de:2330"],
  ["a GeForce", "0300 10de:2684"],
  ["MI300X", "1200 1002:74a1"],
  ["MI250X", "0380 1002:7408"],
  ["graphics of an AMD APU, which rocm-smi reads", "0300 1002:1506"],
  ["Hygon DCU", "0b40 1d94:54b7"],
  ["Intel Max 1550", "0380 8086:0bd5"],
  ["an Intel Arc card", "0300 8086:56a0 0000:03:00.0"],
  ["Gaudi 3", "1200 1da3:1060"],
  ["Ascend 910B", "1200 19e5:d802"],
  ["TPU v4", "ff00 1ae0:005e"],
  ["Trainium", "0880 1d0f:7164"],
  ["a GPU of an unknown maker", "0380 9999:4000"],
  ["an FPGA card", "1200 10ee:5000"],
  ["the Windows host's GPU in WSL", "0302 1414:008e"],
];

const OTHERS: readonly (readonly [what: string, device: string])[] = [
  ["the management controller's screen (ASPEED)", "0300 1a03:2000"],
  ["the management controller's screen (Matrox)", "0300 102b:0538"],
  ["the management controller's screen (Huawei)", "0300 19e5:1711"],
  ["an old server's screen (ATI ES1000)", "0300 1002:515e"],
  ["QEMU's screen", "0300 1234:1111"],
  ["Cirrus", "0300 1013:00b8"],
  ["virtio-gpu", "0380 1af4:1050"],
  ["QXL", "0300 1b36:0100"],
  ["VMware", "0300 15ad:0405"],
  ["Hyper-V", "0300 1414:5353"],
  ["VirtualBox", "0300 80ee:beef"],
  ["EC2's screen", "0300 1d0f:1111"],
  ["EC2's network", "0200 1d0f:ec20"],
  ["EC2's Nitro Enclaves", "0880 1d0f:e4c1"],
  ["GCE's network", "0200 1ae0:0042"],
  ["GCE's disk", "0108 1ae0:001f"],
  ["graphics of an Intel processor", "0300 8086:4680 0000:00:02.0"],
  ["the same as a second screen", "0380 8086:4680 0000:00:02.0"],
  ["the NPU of an Intel processor", "1200 8086:7d1d 0000:00:0b.0"],
  ["Intel QAT", "0b40 8086:4940"],
  ["the ZIP engine of a Kunpeng", "1200 19e5:a250"],
];

describe("a PCI device", () => {
  for (const [what, device] of ACCELERATORS)
    test(`is an accelerator: ${what} (${device})`, () => {
      const bus = readPciBus(output([...NOTHING_ELSE, line(device)]));
      assert.equal(bus.isWhole, true);
      assert.equal(bus.accelerators.length, 1);
      assert.equal(hasNoAccelerator(bus), false);
    });
  for (const [what, device] of OTHERS)
    test(`is none: ${what} (${device})`, () => {
      const bus = readPciBus(output([...NOTHING_ELSE, line(device)]));
      assert.deepEqual(bus, { isWhole: true, accelerators: [] });
      assert.equal(hasNoAccelerator(bus), true);
    });
});

test("an accelerator has its vendor, and a name for a message", () => {
  const { accelerators } = readPciBus(
    output([line("0302 10de:2330 0000:18:00.0"), "", line("0300 1a03:2000")]),
  );
  assert.deepEqual(accelerators, [{ vendor: "0x10de", name: "10de:2330 at 0000:18:00.0" }]);
});

test("the GPU of a Tegra is on no bus; other systems on chip have none that counts", () => {
  const tegra = readPciBus(output(["", "soc jep106:036b", "soc Tegra"]));
  assert.deepEqual(tegra.accelerators, [{ vendor: "0x10de", name: "the GPU of a Tegra chip" }]);
  assert.equal(hasNoAccelerator(tegra), false);
  assert.equal(hasNoAccelerator(readPciBus(output(["", "soc jep106:0a16"]))), true);
});

describe("a bus that is not wholly read is never one without accelerators", () => {
  const cases: readonly (readonly [what: string, output: PartOutput | undefined])[] = [
    ["not asked", undefined],
    ["no device at all", output([])],
    ["only a system on chip", output(["soc jep106:0a16"])],
    ["no bus: its pattern is the only device", output(["-"])],
    ["a device that cannot be read", output(["", "-", ""])],
    ["a device without its id", output(["", "0x030200 0x10de  0000:18:00.0"])],
    ["a line of something else", output(["", "sh: cannot open"])],
    ["cut short", output([""], { kind: "missing" })],
    ["flooded", output([""], { kind: "flooded", what: "more than 8 MiB" })],
    ["another status", output([""], { kind: "exit", code: 1 })],
  ];
  for (const [what, answer] of cases)
    test(what, () => assert.equal(hasNoAccelerator(readPciBus(answer)), false));
  test("what it shows of accelerators counts", () => {
    const bus = readPciBus(output(["-", line("0302 10de:2330")]));
    assert.deepEqual([bus.isWhole, bus.accelerators.length], [false, 1]);
    assert.deepEqual(readPciBus(undefined), UNKNOWN_BUS);
  });
});
