import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { SECTIONS } from "../../src/contract/record.js";
import type { Part } from "../../src/shims/kit/shim.js";
import { darwin } from "../../src/system/darwin.js";
import { LINUX_STORAGE, parseDf } from "../../src/system/df.js";
import { LINUX_FACTS } from "../../src/system/linux-facts-part.js";
import { parseLinuxFacts } from "../../src/system/linux-facts.js";
import { linux } from "../../src/system/linux.js";
import { createPsReader } from "../../src/system/ps.js";
import { windows } from "../../src/system/windows.js";
import { SHELLS, onlyBusybox, fakeRoot, runPart, runParts, type Shell } from "./shells.js";

const ALL = new Set(SECTIONS);
const busybox = onlyBusybox();
const shells: readonly Shell[] = busybox === null ? SHELLS : [...SHELLS, busybox];
/** With busybox's programs but for awk. */
const noAwk: Shell | null = busybox === null ? null : { ...busybox, name: "no awk", argv: ["/bin/sh"] };
const isLinux = process.platform === "linux";
const skip = isLinux ? false : "NOT LINUX: /proc and /sys commands were not run";

function partIn(parts: readonly Part[], id: string): string {
  return parts.find((part) => part.id === id)?.command ?? "";
}

function partOf(id: string): Part {
  const part = linux.probe(ALL).find((each) => each.id === id);
  assert.ok(part);
  return part;
}

describe("commands", () => {
  for (const system of [linux, darwin, windows])
    for (const { id, command } of system.probe(ALL))
      test(`${system.id}: ${id} is unchanged by csh and fish quotes`, () => {
        assert.doesNotMatch(command, /['\n\r!]|\\\\/);
        assert.doesNotMatch(command, /;\s*$/);
      });

  test("no part of the host runs where only GPUs are asked for", () => {
    for (const system of [linux, darwin, windows]) assert.deepEqual(system.probe(new Set(["gpu"])), []);
  });
});

describe("this machine's /proc and /sys", { skip }, () => {
  for (const shell of shells)
    test(`all parts, parsed, under ${shell.name}`, () => {
      const probe = runParts(linux.probe(ALL), shell);
      for (const [id, output] of probe) assert.equal(output.stderr, "", `${id} on standard error`);
      const { sections, errors } = linux.sampler(probe, ALL).parse(probe);
      assert.deepEqual(errors, []);
      assert.equal(sections.cpus?.[0]?.total_threads, cpus().length);
      assert.equal(sections.cpus[0].utilization, null);
      assert.equal(sections.memory?.[0]?.total_bytes, totalmem());
      const self = createPsReader().read(probe).get(process.pid);
      assert.ok(self, "ps lists this process");
      assert.equal(self.ppid, process.ppid);
      assert.match(self.command ?? "", /node/);
    });
});

const HWMON = "/sys/class/hwmon";
const TREE = {
  "/proc/stat": "cpu  1 0 1 8 0 0 0 0 0 0\ncpu0 1 0 1 8 0 0 0 0 0 0\nintr 5 1/1\n",
  "/proc/meminfo": "MemTotal:  4 kB\nMemFree:  1 kB\nMemAvailable:  2 kB\n",
  "/proc/loadavg": "0.50 0.40 0.30 1/100 5\n",
  "/proc/uptime": "100.50 80.00\n",
  "/proc/mounts": "proc /proc proc rw 0 0\n",
  "/proc/cpuinfo": "processor\t: 0\nvendor_id\t: GenuineIntel\nmodel name\t: A CPU @ 2.00GHz\n",
  "/proc/self/status": "Cpus_allowed_list:\t0\n",
  "/sys/devices/system/cpu/cpu0/topology/core_siblings_list": "0\n",
  "/sys/devices/system/cpu/cpu0/topology/thread_siblings_list": "0\n",
  "/sys/class/dmi/id/product_name": "A box\n",
  [`${HWMON}/hwmon0/name`]: "coretemp\n",
  [`${HWMON}/hwmon0/temp1_input`]: "40000\n",
  [`${HWMON}/hwmon0/temp1_label`]: "Package id 0\n",
  [`${HWMON}/hwmon0/temp2_input`]: "99000\n",
  [`${HWMON}/hwmon1/name`]: "nct6779\n",
  [`${HWMON}/hwmon1/fan1_input`]: "1200\n",
  [`${HWMON}/hwmon1/fan2_input`]: "800\n",
  [`${HWMON}/hwmon1/fan2_label`]: "Rear $(id) `id` fan\n",
  [`${HWMON}/hwmon1/temp1_label`]: "Inlet\n",
  [`${HWMON}/hwmon1/temp1_input`]: "21500\n",
  [`${HWMON}/hwmon2/name`]: "power_meter\n",
  [`${HWMON}/hwmon2/power1_average`]: "250000000\n",
  [`${HWMON}/hwmon3/name`]: "nvme\n",
  [`${HWMON}/hwmon3/fan1_input`]: "77\n",
  [`${HWMON}/hwmon4/temp1_input`]: "88000\n",
  "/sys/class/powercap/intel-rapl:0/name": "package-0\n",
  "/sys/class/powercap/intel-rapl:0/energy_uj": "5000000\n",
};

describe("a fake /proc and /sys", { skip }, () => {
  const include = new Set(["cpu", "memory", "chassis"] as const);
  for (const shell of shells)
    test(`under ${shell.name}`, () => {
      const root = fakeRoot(TREE);
      const probe = runParts(linux.probe(include), shell, root);
      const sampler = linux.sampler(probe, include);
      const first = sampler.parse(probe);
      assert.deepEqual(first.errors, []);
      assert.equal(first.sections.cpus?.[0]?.cpu_model, "A CPU @ 2.00GHz");
      assert.equal(first.sections.cpus[0].temperature, 40);
      assert.match(partIn(linux.probe(include), "host.proc"), /b grep/);
      assert.doesNotMatch(
        partIn(sampler.parts, "host.proc"),
        /b grep/,
        "the kernel's own /proc needs no deadline",
      );
      assert.doesNotMatch(partIn(sampler.parts, "host.proc"), /grep/, "few CPUs are read by the shell");
      assert.equal(first.sections.memory?.[0]?.utilization, 50);
      assert.deepEqual(first.sections.chassis?.[0], {
        total_power_watts: 250,
        inlet_temperature: 21.5,
        outlet_temperature: null,
        fan_speeds: [
          { id: 0, name: "nct6779 fan1", speed_rpm: 1200, max_rpm: null },
          { id: 1, name: "Rear $(id) `id` fan", speed_rpm: 800, max_rpm: null },
        ],
        thermal_pressure: null,
        psu_status: [],
        detail: { platform: "Linux", "Product Name": "A box" },
      });

      const later = {
        "/proc/stat": "cpu  4 0 1 15 0 0 0 0 0 0\ncpu0 4 0 1 15 0 0 0 0 0 0\n",
        "/proc/uptime": "110.50 80.00\n",
        "/sys/class/powercap/intel-rapl:0/energy_uj": "1005000000\n",
      };
      for (const [path, text] of Object.entries(later)) writeFileSync(join(root, path), text);
      const cpu = sampler.parse(runParts(sampler.parts, shell, root)).sections.cpus?.[0];
      assert.equal(cpu?.utilization, 30);
      assert.equal(cpu.power_consumption, 100);
    });

  const statOf = (count: number): string => {
    const lines = Array.from({ length: count }, (_, cpu) => `cpu${cpu} 1 0 1 8 0 0 0 0 0 0\n`);
    const total = [1, 0, 1, 8, 0, 0, 0, 0, 0, 0].map((ticks) => ticks * count).join(" ");
    return `cpu  ${total}\n${lines.join("")}intr 5 1/1\n`;
  };
  const ONLINE = "/sys/devices/system/cpu/online";
  const swapless = `MemTotal:  4 kB\nMemFree:  1 kB\nMemAvailable:  2 kB\nBuffers:  0 kB\nCached:  0 kB\nSwapTotal:  7 kB\n`;

  for (const count of [2, 22, 23, 40])
    test(`${count} CPUs, in the cheapest way, and the same when a CPU is added or removed`, () => {
      for (const shell of shells) {
        const root = fakeRoot({ ...TREE, "/proc/stat": statOf(count), [ONLINE]: `0-${count - 1}\n` });
        const probe = runParts(linux.probe(include), shell, root);
        const sampler = linux.sampler(probe, include);
        assert.equal(/head -n/.test(partIn(sampler.parts, "host.proc")), count > 22);
        for (const now of [count, count + 1, count - 1, count]) {
          writeFileSync(join(root, "/proc/stat"), statOf(now));
          writeFileSync(join(root, ONLINE), `0-${now - 1}\n`);
          const answers = runParts(sampler.parts, shell, root);
          const { sections, errors } = sampler.parse(answers);
          assert.deepEqual(errors, []);
          assert.equal(sections.cpus?.[0]?.total_threads, now, shell.name);
          assert.equal(sections.cpus[0].temperature, 40);
          assert.deepEqual(sections.cpus[0].load_average, [0.5, 0.4, 0.3]);
          assert.equal(sections.memory?.[0]?.utilization, 50);
          assert.doesNotMatch(answers.get("host.proc")?.stdout ?? "", /^intr/m, shell.name);
        }
      }
    });

  for (const count of [8, 22, 23, 48])
    test(`the layout of ${count} CPUs, whether their lines are counted on the host or here`, () => {
      const layout: Record<string, string> = {};
      const half = count / 2;
      for (let cpu = 0; cpu < count; cpu++) {
        const dir = `/sys/devices/system/cpu/cpu${cpu}`;
        layout[`${dir}/topology/core_siblings_list`] =
          cpu < half ? `0-${Math.ceil(half) - 1}\n` : `${Math.ceil(half)}-${count - 1}\n`;
        layout[`${dir}/topology/thread_siblings_list`] = `${cpu}\n`;
        layout[`${dir}/cpufreq/cpuinfo_max_freq`] = "3500000\n";
      }
      const processors = Array.from(
        { length: count },
        (_, cpu) =>
          `processor\t: ${cpu}\nvendor_id\t: GenuineIntel\nmodel name\t: A CPU\ncpu MHz\t\t: ${1000 + (cpu % 2) * 1000}.000\n`,
      ).join("");
      const root = fakeRoot({ ...TREE, ...layout, "/proc/cpuinfo": processors });
      for (const shell of noAwk === null ? shells : [...shells, noAwk]) {
        const printed = runPart(LINUX_FACTS, shell, root);
        assert.equal(printed.stderr, "", shell.name);
        assert.equal(/@counts/.test(printed.stdout), count > 22 && shell !== noAwk, shell.name);
        const facts = parseLinuxFacts(printed.stdout);
        assert.equal(facts.sockets.length, 2, shell.name);
        assert.equal(facts.physicalCores.length, count, shell.name);
        assert.equal(facts.maxMhz, 3500);
        assert.equal(facts.info.processors, count);
        assert.equal(facts.info.currentMhz, count === 23 ? 1478.261 : 1500);
        assert.equal(facts.info.model, "A CPU");
        assert.equal(facts.hasKernelProc, true);
        assert.equal(facts.chassisDetail["Product Name"], "A box");
      }
    });

  test("a list of online CPUs that differs from /proc/stat is not used", () => {
    for (const count of [4, 40]) {
      const root = fakeRoot({ ...TREE, "/proc/stat": statOf(count), [ONLINE]: "0-1\n" });
      for (const shell of shells) {
        const sampler = linux.sampler(runParts(linux.probe(include), shell, root), include);
        assert.doesNotMatch(partIn(sampler.parts, "host.proc"), /online/);
        const { sections } = sampler.parse(runParts(sampler.parts, shell, root));
        assert.equal(sections.cpus?.[0]?.total_threads, count, shell.name);
      }
    }
  });

  test("swap is 0 only where /proc/swaps lists none", () => {
    const header = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n";
    const used = `${header}/dev/sda2 partition 7 3 -2\n`;
    const meminfo = `${swapless}SwapFree:  4 kB\n`;
    const cases = [
      [header, 0, 0],
      [used, 7 * 1024, 4 * 1024],
      [null, 7 * 1024, 4 * 1024],
    ] as const;
    for (const [swaps, total, free] of cases)
      for (const shell of shells) {
        const files = { "/proc/stat": statOf(2), [ONLINE]: "0-1\n", "/proc/meminfo": meminfo };
        const root = fakeRoot({ ...TREE, ...files, ...(swaps === null ? {} : { "/proc/swaps": swaps }) });
        const sampler = linux.sampler(runParts(linux.probe(include), shell, root), include);
        const memory = sampler.parse(runParts(sampler.parts, shell, root)).sections.memory?.[0];
        assert.equal(memory?.swap_total_bytes, total, shell.name);
        assert.equal(memory.swap_free_bytes, free, shell.name);
        assert.equal(memory.cached_bytes, 0, shell.name);
      }
  });

  test("an unreadable tree makes errors in the sections, not in the shell", () => {
    for (const shell of shells) {
      const probe = runParts(linux.probe(include), shell, fakeRoot({ "/proc/none": null }));
      const { sections, errors } = linux.sampler(probe, include).parse(probe);
      assert.deepEqual(
        errors.map(({ section }) => section),
        ["cpu", "memory"],
        shell.name,
      );
      assert.deepEqual(sections.chassis?.[0]?.detail, { platform: "Linux" });
    }
  });

  test("a /proc that another program serves is read under the deadline in each tick", () => {
    const served = "lxcfs /proc/meminfo fuse.lxcfs rw,nosuid 0 0\n";
    const probe = runParts(
      linux.probe(include),
      SHELLS[0] ?? { name: "sh", argv: ["sh"] },
      fakeRoot({ ...TREE, "/proc/mounts": served }),
    );
    assert.match(partIn(linux.sampler(probe, include).parts, "host.proc"), /b grep/);
    assert.match(partIn(linux.sampler(new Map(), include).parts, "host.proc"), /b grep/);
  });

  test("a fan that hangs ends only the chassis part, at its deadline", () => {
    for (const shell of SHELLS) {
      const root = fakeRoot({ [`${HWMON}/hwmon0/name`]: "dell_smm\n" });
      execFileSync("mkfifo", [join(root, HWMON, "hwmon0/fan1_input")]);
      const output = runPart(partOf("host.sensors"), shell, root, 1);
      // busybox's timeout exits with the signal's status, GNU's with 124.
      assert.ok(output.end.kind === "exit" && [124, 143].includes(output.end.code), shell.name);
      assert.equal(output.stdout, "");
    }
  });

  test("df lists only local file systems, each device once, paths with blanks too", () => {
    for (const shell of shells) {
      const root = fakeRoot({ "/proc/none": null, "/mnt/file": "" });
      mkdirSync(join(root, "mnt/two blanks here"), { recursive: true });
      mkdirSync(join(root, "mnt/tab\there"), { recursive: true });
      const at = (path: string): string => join(root, "mnt", path);
      const mounts = [
        `proc /proc proc rw 0 0`,
        `nas:/x ${at("gone")} nfs4 rw 0 0`,
        `//nas/x ${at("gone")} cifs rw 0 0`,
        `user@nas: ${at("gone")} fuse.sshfs rw 0 0`,
        `overlay ${at("none")} overlay rw 0 0`,
        `/dev/a ${at("two\\040blanks\\040here")} ext4 rw 0 0`,
        `/dev/a ${at("")} ext4 rw 0 0`,
        `/dev/b ${at("file")} ext4 rw 0 0`,
        `/dev/c ${at("tab\\011here")} xfs rw 0 0`,
      ];
      writeFileSync(join(root, "proc/mounts"), `${mounts.join("\n")}\n`);
      const output = runPart(LINUX_STORAGE, shell, root);
      assert.equal(output.stderr, "", shell.name);
      assert.equal(parseDf(output.stdout).length, 2, shell.name);
    }
  });
});
