/** Which tools a host is read with, and which failures are reported, by what each showed in the probe. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { HostError } from "../../src/contract/errors.js";
import type { Gpu } from "../../src/contract/record.js";
import { chooseSources } from "../../src/remote/choose.js";
import { UNKNOWN_BUS, type PciBus } from "../../src/remote/pci-bus.js";
import { toolsOf, type Judged } from "../../src/remote/probe.js";
import { isWanted } from "../../src/remote/tools-to-try.js";
import { isPoor, lackingOf } from "../../src/shims/kit/device-list.js";
import { makerOf, type Shim } from "../../src/shims/kit/shim.js";
import { allShims } from "../../src/shims/registry.js";
import { gpu } from "../support/records.js";

const REAL = new Map((await allShims()).map((real) => [real.id, real]));
const MAKERS = new Map([...REAL].map(([id, real]) => [id, makerOf(real)]));
const shim = (id: string): Shim => ({
  id,
  maker: MAKERS.get(id) ?? assert.fail(id),
  executables: [id],
  ...(REAL.get(id)?.lastResort === undefined ? {} : { lastResort: { isHere: "true" } }),
  probe: () => [],
  judge: () => assert.fail(),
});
const NOTHING: Partial<Gpu> = {
  utilization: null,
  temperature: null,
  used_memory: null,
  total_memory: null,
  power_consumption: null,
};
const poorGpu = (changes: Partial<Gpu> = {}): Gpu => gpu({ ...NOTHING, ...changes });

function reads(id: string, gpus: readonly Gpu[], kind: "usable" | "poor" = "usable"): Judged {
  const sampler = { parts: [], parse: () => assert.fail() };
  const tool = { kind: "usable", shim: shim(id), executable: id, sampler } as const;
  return { kind, tool, first: { sections: { gpus }, errors: [] } };
}
const fails = (id: string): Judged => ({
  kind: "broken",
  tool: { kind: "broken", shim: shim(id), message: `${id} fails`, isTimeout: false },
});
const hangs = (id: string): Judged => ({
  kind: "broken",
  tool: { kind: "broken", shim: shim(id), message: `${id} hangs`, isTimeout: true },
});
/** The accelerators of a bus, by vendor. */
const pci = (...vendors: string[]): PciBus => ({
  isWhole: true,
  accelerators: vendors.map((vendor, place) => ({
    vendor,
    name: `${vendor.slice(2)}:0001 at 0000:0${String(place)}:00.0`,
  })),
});

/** As `nvidia-smi+tegrastats amd-smi!`: the tools of each source, `!` for one that failed. */
function chosen(judged: readonly Judged[], bus = UNKNOWN_BUS): string {
  return chooseSources(judged, [], bus, "")
    .map((source) => {
      const names = toolsOf([source]).map(({ shim: { id } }) => id);
      return source.kind === "broken" ? `${names.join("+")}!` : names.join("+");
    })
    .join(" ");
}

const FULL = [gpu({})];
const AMD = [gpu({ detail: { pci_id: "1002:740f" } })];
const CASES: readonly (readonly [what: string, judged: readonly Judged[], expected: string, bus?: PciBus])[] =
  [
    ["two vendors that work", [reads("nvidia-smi", FULL), reads("rocm-smi", FULL)], "nvidia-smi rocm-smi"],
    ["one vendor by two tools", [reads("amd-smi", FULL), reads("rocm-smi", FULL)], "amd-smi"],
    ["a tool without readings", [reads("amd-smi", [poorGpu()], "poor"), reads("rocm-smi", FULL)], "rocm-smi"],
    ["no tool with readings", [reads("amd-smi", [poorGpu()], "poor")], "amd-smi"],
    [
      "a second tool that reports more",
      [reads("nvidia-smi", [poorGpu({ utilization: 5 })]), reads("tegrastats", FULL)],
      "nvidia-smi+tegrastats",
    ],
    [
      "a second tool that reports no more",
      [
        reads("nvidia-smi", [poorGpu({ utilization: 5 })]),
        reads("tegrastats", [poorGpu({ utilization: 7 })]),
      ],
      "nvidia-smi",
    ],
    ["a failure beside its vendor's other tool", [fails("amd-smi"), reads("rocm-smi", FULL)], "rocm-smi"],
    [
      "a failure beside another vendor",
      [fails("nvidia-smi"), reads("rocm-smi", FULL)],
      "rocm-smi nvidia-smi!",
    ],
    [
      "a leftover: the bus has only the other vendor",
      [fails("nvidia-smi"), reads("rocm-smi", FULL)],
      "rocm-smi",
      pci("0x1002"),
    ],
    [
      "a failure: the bus has both",
      [fails("nvidia-smi"), reads("rocm-smi", FULL)],
      "rocm-smi nvidia-smi!",
      pci("0x1002", "0x10de"),
    ],
    [
      "a bus that shows neither decides nothing",
      [fails("nvidia-smi"), reads("rocm-smi", FULL)],
      "rocm-smi nvidia-smi!",
      pci("0x1e52"),
    ],
    ["failures alone", [fails("nvidia-smi"), fails("amd-smi"), fails("rocm-smi")], "nvidia-smi! amd-smi!"],
    ["all-smi that reports", [reads("native", FULL)], "native"],
    [
      "all-smi and what nvidia-smi adds",
      [reads("native", FULL), reads("nvidia-smi", FULL)],
      "native+nvidia-smi",
    ],
    ["all-smi beside a failing nvidia-smi", [reads("native", FULL), fails("nvidia-smi")], "native"],
    [
      "all-smi that sees no device",
      [reads("native", [], "poor"), reads("nvidia-smi", FULL)],
      "native nvidia-smi",
    ],
    [
      "the same, with a dead driver",
      [reads("native", [], "poor"), fails("nvidia-smi")],
      "native nvidia-smi!",
    ],
    ["a host without a device", [reads("native", [], "poor")], "native"],
    ["all-smi that fails beside a tool", [fails("native"), reads("nvidia-smi", FULL)], "nvidia-smi"],
    ["all-smi and a tool that fail", [fails("native"), fails("nvidia-smi")], "native! nvidia-smi!"],
    ["the kernel's files alone", [reads("sysfs", AMD)], "sysfs"],
    [
      "a tool that works in place of the kernel's files",
      [reads("nvidia-smi", FULL), reads("sysfs", AMD)],
      "nvidia-smi",
    ],
    ["the kernel's files in place of a tool that fails", [fails("amd-smi"), reads("sysfs", AMD)], "sysfs"],
    ["a tool of other devices that fails", [fails("nvidia-smi"), reads("sysfs", AMD)], "sysfs nvidia-smi!"],
    ["the same, left over", [fails("nvidia-smi"), reads("sysfs", AMD)], "sysfs", pci("0x1002")],
    ["a tool that hangs is reported all the same", [hangs("amd-smi"), reads("sysfs", AMD)], "sysfs amd-smi!"],
    ["a tool without readings", [reads("amd-smi", [poorGpu()], "poor"), reads("sysfs", AMD)], "sysfs"],
    [
      "a tool without readings of other devices",
      [reads("nvidia-smi", [poorGpu()], "poor"), reads("sysfs", AMD)],
      "nvidia-smi sysfs",
    ],
    ["all-smi that sees no device", [reads("native", [], "poor"), reads("sysfs", AMD)], "native sysfs"],
    ["all devices asleep", [reads("sysfs", [poorGpu({ detail: { pci_id: "8086:3e98" } })], "poor")], "sysfs"],
  ];

describe("chooseSources", () => {
  for (const [what, judged, expected, bus] of CASES)
    test(what, () => assert.equal(chosen(judged, bus), expected));

  test("without any tool, it throws the reason", () => {
    const code = (judged: readonly Judged[]): unknown => {
      try {
        return chooseSources(judged, [shim("nvidia-smi")], UNKNOWN_BUS, "");
      } catch (error) {
        return error instanceof HostError ? error.failure.code : error;
      }
    };
    assert.equal(code([]), "no-tool");
    assert.equal(code([{ kind: "too-old", shim: shim("native"), message: "old" }]), "version-too-old");
  });

  test("without any tool, the reason names the accelerators that the bus shows", () => {
    const failureOn = (...vendors: string[]): unknown => {
      try {
        return chooseSources([], [shim("amd-smi"), shim("rocm-smi")], pci(...vendors), "");
      } catch (error) {
        return error instanceof HostError ? [error.failure.message, error.failure.fix] : error;
      }
    };
    const elsewhere = "on the host, or see its PATH for non-interactive shells";
    assert.deepEqual(failureOn(), [
      "found none of: amd-smi, rocm-smi",
      `install the vendor's tool or all-smi ${elsewhere}`,
    ]);
    assert.deepEqual(failureOn("0x1002", "0x1002"), [
      "the host has an accelerator (amd 1002:0001 at 0000:00:00.0 and 1 more) and none of: amd-smi, rocm-smi",
      `install amd-smi, rocm-smi or all-smi ${elsewhere}`,
    ]);
    assert.deepEqual(failureOn("0x10de"), [
      "the host has an accelerator (10de:0001 at 0000:00:00.0) and none of: amd-smi, rocm-smi",
      `install the vendor's tool or all-smi ${elsewhere}`,
    ]);
  });
});

test("which tools another round is to ask", () => {
  const wanted = (judged: readonly Judged[]): readonly string[] =>
    ["nvidia-smi", "amd-smi", "rocm-smi", "tegrastats", "sysfs"].filter((id) => isWanted(shim(id), judged));
  assert.deepEqual(wanted([reads("native", [gpu({ uuid: "0x1" })])]), []);
  assert.deepEqual(wanted([reads("native", [gpu({ uuid: "GPU-1" })])]), ["nvidia-smi"]);
  assert.deepEqual(wanted([reads("nvidia-smi", FULL)]), ["amd-smi", "rocm-smi"]);
  assert.deepEqual(wanted([reads("nvidia-smi", [gpu({ power_consumption: null })])]), [
    ...["nvidia-smi", "amd-smi", "rocm-smi", "tegrastats"],
  ]);
  assert.deepEqual(wanted([fails("nvidia-smi")]), [
    "nvidia-smi",
    "amd-smi",
    "rocm-smi",
    "tegrastats",
    "sysfs",
  ]);
  assert.deepEqual(wanted([fails("nvidia-smi"), reads("sysfs", AMD)]), []);
});

test("a device without utilization, temperature, memory and power is no reading; a failed one is", () => {
  assert.equal(isPoor([poorGpu()]), true);
  assert.equal(isPoor([poorGpu(), gpu({})]), false);
  assert.equal(isPoor([poorGpu({ error: "GPU is lost" })]), false);
  assert.equal(isPoor([]), false);
  assert.deepEqual(lackingOf([poorGpu({ used_memory: 0 })]), ["utilization", "temperature", "power"]);
});
