/** The commands, run in fake trees of /sys under every shell that a host's /bin/sh may be. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { Gpu } from "../../../src/contract/record.js";
import type { Part, PartOutputs } from "../../../src/shims/kit/shim.js";
import { HAS_GPU } from "../../../src/shims/sysfs/commands.js";
import { sysfsShim } from "../../../src/shims/sysfs/sysfs.js";
import {
  arcI915,
  battlemageXe,
  device,
  intelIntegrated,
  mi210,
  PCI_IDS,
  ryzenApu,
  sysfsTree,
  type FakeDevice,
} from "../../support/fake-sysfs.js";
import { probeContext } from "../../support/shim-outputs.js";
import { fakeRoot, onlyBusybox, runPart, SHELLS, type Shell } from "../../system/shells.js";

const busybox = onlyBusybox();
const shells: readonly Shell[] = busybox === null ? SHELLS : [...SHELLS, busybox];
const context = probeContext(["gpu"]);

/** A root with these devices and, unless it is null, a pci.ids. */
function rootOf(devices: readonly FakeDevice[], ids: string | null = PCI_IDS): string {
  const names = ids === null ? {} : { "/sys/pci.ids": ids };
  return fakeRoot({ ...sysfsTree(devices), ...names });
}

/** The parts see the fake root's pci.ids in place of this machine's. */
function run(parts: readonly Part[], shell: Shell, root: string): PartOutputs {
  const moved = parts.map((part) => ({
    ...part,
    command: part.command.replaceAll(/\/\S+\/pci\.ids/g, "/sys/pci.ids"),
  }));
  return new Map(moved.map((part) => [part.id, runPart(part, shell, root)]));
}

function probe(devices: readonly FakeDevice[], shell: Shell, isWaking = false) {
  const root = rootOf(devices);
  const own = { ...context, isWaking };
  const outputs = run(sysfsShim.probe(own), shell, root);
  const verdict = sysfsShim.judge(outputs, own);
  assert.ok(verdict.kind === "usable", "message" in verdict ? verdict.message : "");
  return { root, outputs, sampler: verdict.sampler, first: verdict.sampler.parse(outputs) };
}

const only = (gpus: readonly Gpu[] | undefined): Gpu => {
  assert.equal(gpus?.length, 1);
  return gpus[0] ?? assert.fail();
};

for (const shell of shells)
  describe(`under ${shell.name}`, () => {
    test("an Instinct, an APU, i915 and xe, in the order of their addresses, with nothing on standard error", () => {
      const { outputs, first } = probe(
        [
          battlemageXe("0000:e3:00.0", 3, "900"),
          arcI915("0000:83:00.0", 2, "800"),
          mi210("0000:c5:00.0", 1),
          ryzenApu("0000:04:00.0", 0),
        ],
        shell,
      );
      for (const [id, { stderr, end }] of outputs)
        assert.deepEqual([stderr, end], ["", { kind: "exit", code: 0 }], id);
      const gpus = first.sections.gpus ?? [];
      assert.deepEqual(first.errors, []);
      assert.deepEqual(
        gpus.map(({ index, pci_bus_id: bus, name }) => [index, bus, name]),
        [
          [0, "0000:04:00.0", "Cezanne [Radeon Vega Series / Radeon Vega Mobile Series]"],
          [2, "0000:83:00.0", "DG2 [Arc A770]"],
          [1, "0000:c5:00.0", "AMD INSTINCT MI210 (MCM) OAM LC MBA"],
          [3, "0000:e3:00.0", "Battlemage G21 [Arc B580]"],
        ],
      );
      assert.deepEqual(
        gpus.map((gpu) => [
          gpu.utilization,
          gpu.temperature,
          gpu.power_consumption,
          gpu.power_limit,
          gpu.frequency,
        ]),
        [
          [4, 47, 11.012, null, 400],
          [null, null, null, 190, 2400],
          [97, 61, 221, 300, 1700],
          [null, 52, null, 150, 2850],
        ],
      );
      assert.deepEqual(
        gpus.map((gpu) => [
          gpu.total_memory,
          gpu.used_memory,
          gpu.memory_source,
          gpu.clock_memory,
          gpu.pcie_link_gen,
        ]),
        [
          [16642998272, 536870912, "host", 933, 3],
          [null, null, undefined, undefined, 4],
          [68702699520, 53687091200, undefined, 1600, 4],
          [12884901888, null, undefined, undefined, null],
        ],
      );
      assert.deepEqual(gpus[2]?.ecc_corrected_since_load, 3);
      assert.equal(gpus[0]?.detail["power_note"], "includes the CPU");
      assert.equal(gpus[0].uuid, null, "an id of zeros is none");
    });

    test("power is the energy of two ticks, and null in the first and where the counter began anew", () => {
      const { root, sampler, first } = probe([arcI915("0000:83:00.0", 2, "800000000")], shell);
      assert.equal(only(first.sections.gpus).power_consumption, null);
      const energy = join(root, "sys/bus/pci/drivers/i915/0000:83:00.0/hwmon/hwmon5/energy1_input");
      const tick = (uptime: string, microjoules: string): number | null => {
        writeFileSync(join(root, "proc/uptime"), `${uptime} 900.00\n`);
        writeFileSync(energy, `${microjoules}\n`);
        return only(sampler.parse(run(sampler.parts, shell, root)).sections.gpus).power_consumption;
      };
      assert.equal(tick("1002.00", "1000000000"), 100);
      assert.equal(tick("1004.00", "500"), null);
      assert.equal(tick("1004.50", "50000500"), 100);
      assert.equal(tick("1004.50", "60000000"), null);
      assert.equal(tick("2004.50", "70000000"), null);
    });

    test("a device that sleeps is listed and none of its readings is read, unless it may be woken", () => {
      const asleep = mi210("0000:c5:00.0", 1, { "power/runtime_status": "suspended" });
      const gpu = only(probe([asleep], shell).first.sections.gpus);
      assert.equal(gpu.power_state, "suspended");
      assert.equal(gpu.name, "Aldebaran/MI200 [Instinct MI210]");
      assert.deepEqual(
        [gpu.utilization, gpu.temperature, gpu.total_memory, gpu.power_consumption],
        [null, null, null, null],
      );
      assert.doesNotMatch(probe([asleep], shell).outputs.get("sysfs.gpus")?.stdout ?? "", /busy|temp|vram/);
      const woken = only(probe([asleep], shell, true).first.sections.gpus);
      assert.deepEqual([woken.utilization, woken.temperature], [97, 61]);
    });

    test("graphics of an Intel processor use the host's memory", () => {
      const gpu = only(probe([intelIntegrated()], shell).first.sections.gpus);
      assert.deepEqual(
        [gpu.name, gpu.frequency, gpu.memory_source, gpu.total_memory, gpu.power_state],
        ["CoffeeLake-S GT2 [UHD Graphics 630]", 350, "host", null, "active"],
      );
    });

    test("a device that came later asks for a new probe", () => {
      const { root, sampler } = probe([mi210("0000:c5:00.0", 1)], shell);
      const later = rootOf([mi210("0000:c5:00.0", 1), mi210("0000:c6:00.0", 2)]);
      const reading = sampler.parse(run(sampler.parts, shell, later));
      assert.equal(reading.outdated, true);
      assert.deepEqual(
        reading.sections.gpus?.map(({ index }) => index),
        [1, null],
      );
      rmSync(join(root, "sys/bus"), { recursive: true });
      const gone = sampler.parse(run(sampler.parts, shell, root));
      assert.equal(gone.sections.gpus, undefined);
      assert.match(gone.errors[0]?.message ?? "", /no device of amdgpu, i915 or xe/);
    });

    test("a text in /sys that looks like a program stays a text", () => {
      const bad = '`id` $(id) " ; x * !';
      const odd = mi210("0000:c5:00.0", 1, {
        product_name: bad,
        vendor: "0x$(id)",
        gpu_busy_percent: "$((1+1))",
      });
      const gpu = only(probe([odd], shell).first.sections.gpus);
      assert.equal(gpu.name, bad);
      assert.equal(gpu.utilization, null);
      assert.equal(gpu.detail["pci_id"], undefined);
    });

    test("whether a GPU is there: not with the displays of machines without one", () => {
      const here = (devices: readonly FakeDevice[]): boolean => {
        const part: Part = { id: "here", kind: "shell", command: HAS_GPU };
        const { end } = runPart(part, shell, rootOf(devices));
        return end.kind === "exit" && end.code === 0;
      };
      const display = (driver: string): FakeDevice =>
        device("0000:00:01.0", driver, "0x1234", "0x1111", 0, {});
      const virtual = [
        "ast",
        "bochs-drm",
        "mgag200",
        "virtio-pci",
        "vmwgfx",
        "hyperv_drm",
        "qxl",
        "nouveau",
        "nvidia",
      ];
      assert.equal(here(virtual.map(display)), false);
      assert.equal(here([display("ast"), mi210("0000:c5:00.0", 1)]), true);
      assert.equal(here([intelIntegrated()]), true);
      assert.equal(here([]), false);
    });
  });

describe("this machine's own /sys", () => {
  for (const shell of shells)
    test(`under ${shell.name}: no message, and no device that lspci does not list`, () => {
      const outputs = run(sysfsShim.probe(context), shell, "");
      for (const [id, { stderr, end }] of outputs)
        assert.deepEqual([stderr, end], ["", { kind: "exit", code: 0 }], id);
      const listed = spawnSync(
        "sh",
        [
          "-c",
          "ls -d /sys/bus/pci/drivers/amdgpu/*:* /sys/bus/pci/drivers/i915/*:* /sys/bus/pci/drivers/xe/*:* 2>/dev/null | wc -l",
        ],
        { encoding: "utf8" },
      );
      const devices = (outputs.get("sysfs.gpus")?.stdout ?? "")
        .split("\n")
        .filter((line) => line.startsWith("@"));
      assert.equal(devices.length, Number(listed.stdout));
    });
});

test("a tick starts no process", () => {
  const root = rootOf([
    mi210("0000:c5:00.0", 1),
    ryzenApu("0000:04:00.0", 0),
    arcI915("0000:83:00.0", 2, "1"),
  ]);
  const [gpus] = sysfsShim.probe(context);
  assert.ok(gpus);
  for (const shell of shells) {
    const read = runPart({ ...gpus, command: `PATH=/none; ${gpus.command}` }, shell, root);
    assert.equal(read.stdout.match(/^@/gm)?.length, 3, shell.name);
    assert.match(read.stdout, /^freq1_input 1700000000$/m, shell.name);
  }
  // Nor a copy of the shell: a substitution, a pipe or a subshell.
  assert.doesNotMatch(gpus.command, /\$\(|`|[^;] \| |\((?!\w*\))/);
});
