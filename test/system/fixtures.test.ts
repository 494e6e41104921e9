import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, test } from "node:test";
import { parseCpuinfo, type CpuInfo } from "../../src/system/cpuinfo.js";
import { LINUX_FACTS } from "../../src/system/linux-facts-part.js";
import { parseLinuxFacts } from "../../src/system/linux-facts.js";
import { linux } from "../../src/system/linux.js";
import { parseMeminfo } from "../../src/system/proc-meminfo.js";
import { createCpuCounters } from "../../src/system/proc-stat.js";
import { SHELLS, runPart } from "./shells.js";

const FOLDER = fileURLToPath(new URL("../../../shared/fixtures/proc/", import.meta.url));
const skip = existsSync(FOLDER)
  ? false
  : `NO FIXTURES at ${FOLDER}: the recorded /proc files were not checked`;
const KIB = 1024;

/** What INDEX.md states about each file, and what can be calculated from the file. */
const CPUINFO: readonly (readonly [file: string, machine: string, expected: Partial<CpuInfo>])[] = [
  [
    "cpuinfo__arm7.txt",
    "armv7l",
    { processors: 4, model: "ARMv7 Processor rev 3 (v7l)", platform: "Arm", currentMhz: null },
  ],
  [
    "cpuinfo__ppc64.txt",
    "ppc64",
    {
      processors: 6,
      currentMhz: 3000,
      model: "POWER7 (architected), altivec supported",
      platform: { Other: "POWER" },
      machine: "CHRP IBM,8233-E8B",
    },
  ],
  ["cpuinfo__riscv64.txt", "riscv64", { processors: 2, model: null, platform: { Other: "RISC-V" } }],
  [
    "node_exporter__cpuinfo.txt",
    "x86_64",
    {
      processors: 8,
      sockets: 1,
      physicalCores: 4,
      baseMhz: 1900,
      model: "Intel(R) Core(TM) i7-8650U CPU @ 1.90GHz",
      platform: "Intel",
      cacheKib: 8192,
    },
  ],
  [
    "sonar__cpuinfo-aarch64.txt",
    "aarch64",
    { processors: 96, model: "Neoverse-N1", platform: "Arm", currentMhz: null, baseMhz: null },
  ],
];

const MEMINFO: readonly (readonly [file: string, expected: object])[] = [
  [
    "node_exporter__meminfo.txt",
    {
      total_bytes: 3742148 * KIB,
      free_bytes: 225472 * KIB,
      buffers_bytes: 22040 * KIB,
      cached_bytes: 930888 * KIB,
      // No MemAvailable in this file: free + buffers + cached.
      available_bytes: (225472 + 22040 + 930888) * KIB,
      swap_total_bytes: 4194300 * KIB,
      swap_free_bytes: 3155360 * KIB,
      swap_used_bytes: (4194300 - 3155360) * KIB,
    },
  ],
  [
    "sonar__meminfo.txt",
    {
      total_bytes: 16093776 * KIB,
      available_bytes: 8162068 * KIB,
      used_bytes: (16093776 - 8162068) * KIB,
      utilization: 49.28,
    },
  ],
];

let values = 0;
const read = (file: string): string => readFileSync(`${FOLDER}${file}`, "utf8");

function assertValues(actual: object | null, expected: object): void {
  assert.ok(actual);
  const got = new Map<string, unknown>(Object.entries(actual));
  for (const [key, value] of Object.entries(expected)) {
    assert.deepEqual(got.get(key), value, key);
    values++;
  }
}

describe("recorded /proc files", { skip }, () => {
  for (const [file, machine, expected] of CPUINFO)
    for (const shell of SHELLS)
      test(`${file} through the real command under ${shell.name}`, () => {
        const command = LINUX_FACTS.command.replaceAll("/proc/cpuinfo", `${FOLDER}${file}`);
        const part = { ...LINUX_FACTS, command: `U="Linux ${machine}"; ${command}` };
        const printed = runPart(part, shell).stdout.replaceAll(`${FOLDER}${file}`, "/proc/cpuinfo");
        const { info } = parseLinuxFacts(printed);
        assertValues(info, expected);
      });

  test("node_exporter__cpuinfo.txt: the first CPU's 799.998 MHz is one of the tallied clocks", () => {
    const only = read("node_exporter__cpuinfo.txt")
      .split("\n")
      .filter((line) => line.startsWith("cpu MHz"))
      .slice(0, 1)
      .map((line) => `      1 ${line}`);
    assertValues(parseCpuinfo(only, "1", "x86_64"), { currentMhz: 799.998 });
  });

  for (const [file, expected] of MEMINFO)
    test(file, () => assertValues(parseMeminfo(read(file).split("\n"), null), expected));

  test("node_exporter__stat.txt", () => {
    const counters = createCpuCounters();
    counters.read(["cpu 0 0 0 0"]);
    counters.read(read("node_exporter__stat.txt").split("\n"));
    const busy = 301854 + 612 + 111922 + 2 + 3944;
    assertValues(
      { total: counters.ofTotal(), cpus: counters.cpus.length },
      { total: { busy, elapsed: busy + 8979004 + 3552 }, cpus: 8 },
    );
  });

  test("node_exporter__loadavg.txt", () => {
    const include = new Set(["cpu"] as const);
    const stdout = read("node_exporter__stat.txt") + read("node_exporter__loadavg.txt");
    const outputs = new Map([["host.proc", { stdout, stderr: "", end: { kind: "exit", code: 0 } as const }]]);
    const reading = linux.sampler(outputs, include).parse(outputs);
    assertValues(reading.sections.cpus?.[0] ?? null, { load_average: [0.21, 0.37, 0.39], total_threads: 8 });
  });

  test("count", (t) => {
    t.diagnostic(`9 files, ${values} values agree, under ${SHELLS.map(({ name }) => name).join(", ")}`);
    assert.ok(values >= 30);
  });
});
