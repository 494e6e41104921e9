import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { SECTIONS } from "../../src/contract/record.js";
import type { PartOutput, PartOutputs } from "../../src/shims/kit/shim.js";
import { darwin } from "../../src/system/darwin.js";
import { parseDf } from "../../src/system/df.js";
import type { HostSystem } from "../../src/system/host-system.js";
import { linux } from "../../src/system/linux.js";
import { cpuList, percentOf } from "../../src/system/numbers.js";
import { parseMeminfo } from "../../src/system/proc-meminfo.js";
import { createCpuCounters, type CpuCounters } from "../../src/system/proc-stat.js";
import { createPsReader, parsePs } from "../../src/system/ps.js";
import { windows } from "../../src/system/windows.js";
import { goldenCases } from "../support/golden.js";
import { assertKnownFields } from "../support/known-fields.js";
import { mutationsOf } from "./mutations.js";

const ALL = new Set(SECTIONS);
const RUNS = { numRuns: 300 };
/** Niceness and priority are below 0 for favoured processes. */
const SIGNED = new Set(["nice_value", "priority"]);
const PERCENTAGES = new Set(["utilization", "memory_percent"]);

function assertTrue(value: unknown, key = ""): void {
  if (typeof value === "number") {
    assert.ok(Number.isFinite(value), `${key} is ${value}`);
    assert.ok(value >= 0 || SIGNED.has(key), `${key} is ${value}`);
    assert.ok(value <= 100 || !PERCENTAGES.has(key), `${key} is ${value}`);
  } else if (typeof value === "string")
    assert.doesNotMatch(
      value,
      /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/,
      key,
    );
  else if (typeof value === "object" && value !== null)
    for (const [inner, held] of Object.entries(value)) assertTrue(held, inner);
  else assert.ok(value === null || typeof value === "boolean", `${key} is ${typeof value}`);
}

function outputsOf(entries: readonly (readonly [string, string])[], end: PartOutput["end"]): PartOutputs {
  return new Map(entries.map(([id, stdout]) => [id, { stdout, stderr: "", end }]));
}

const ENDS: readonly PartOutput["end"][] = [
  { kind: "exit", code: 0 },
  { kind: "exit", code: 2 },
  { kind: "signal", signal: "SIGKILL" },
  { kind: "timeout", afterSecs: 5 },
  { kind: "missing" },
];

describe("whatever a host prints", () => {
  for (const system of [linux, darwin, windows] satisfies readonly HostSystem[])
    test(`${system.id}: a reading of finite numbers and clean texts, never a throw`, () => {
      const samples = goldenCases(system.id).map(({ outputs }) => outputs("host.facts"));
      const ids = system.probe(ALL).map(({ id }) => id);
      const sampleOf = (id: string): fc.Arbitrary<string> => {
        const texts = samples.map((outputs) => outputs.get(id)?.stdout ?? "");
        return fc.oneof(fc.string({ unit: "binary", maxLength: 300 }), ...texts.map(mutationsOf));
      };
      const answers = fc.tuple(...ids.map((id) => sampleOf(id).map((text) => [id, text] as const)));
      fc.assert(
        fc.property(answers, answers, fc.constantFrom(...ENDS), (probe, tick, end) => {
          const first = outputsOf(probe, end);
          const sampler = system.sampler(first, ALL);
          assertKnownFields(sampler.parse(first).sections);
          assertTrue(sampler.parse(first));
          const ps = createPsReader();
          for (const outputs of [outputsOf(tick, end), outputsOf([], end)]) {
            const reading = sampler.parse(outputs);
            assertKnownFields(reading.sections);
            assertTrue(reading);
            assertTrue([...ps.read(outputs).values()]);
          }
        }),
        RUNS,
      );
    });
});

const counter = fc.integer({ min: 0, max: 1e9 });
const counters = fc.tuple(counter, counter, counter, counter, counter, counter, counter, counter);
const linesOf = (times: readonly number[]): readonly string[] => [
  `cpu  ${times.join(" ")} 7 0`,
  `cpu3 ${times.join(" ")} 7 0`,
];
function countersAfter(...readings: readonly (readonly string[])[]): CpuCounters {
  const counters = createCpuCounters();
  for (const lines of readings) counters.read(lines);
  return counters;
}
const NONE = { busy: 0, elapsed: 0 };

describe("counters of /proc/stat", () => {
  test("usage is the time that passed and its busy share, or null when a counter went back", () => {
    const near = fc.tuple(
      counters,
      fc.array(fc.integer({ min: -3, max: 500 }), { minLength: 8, maxLength: 8 }),
    );
    fc.assert(
      fc.property(near, ([before, steps]) => {
        const after = before.map((value, i) => Math.max(0, value + (steps[i] ?? 0)));
        const deltas = after.map((value, i) => value - (before[i] ?? 0));
        const idle = (deltas[3] ?? 0) + (deltas[4] ?? 0);
        const busy = deltas.filter((_, i) => i !== 3 && i !== 4);
        const elapsed = busy.reduce((sum, delta) => sum + delta, idle);
        const wentBack = idle < 0 || busy.some((delta) => delta < 0);
        const expected = wentBack ? null : { busy: elapsed - idle, elapsed };
        const read = countersAfter(linesOf(before), linesOf(after));
        assert.deepEqual(read.ofTotal(), expected);
        assert.deepEqual(read.ofCpu(3), expected);
        assert.deepEqual(read.ofCpus([3]), expected);
        // The next reading holds nothing of the one before.
        read.read(["cpu4 1 1 1 1"]);
        assert.deepEqual(read.cpus, [4]);
        assert.deepEqual(read.ofCpu(3), NONE);
        assert.equal(read.ofTotal(), null);
      }),
      RUNS,
    );
  });

  test("no time passes in a first reading, after an unreadable one, and between two equal ones", () => {
    fc.assert(
      fc.property(counters, (times) => {
        for (const readings of [[linesOf(times)], [linesOf(times), [], linesOf(times)]]) {
          const read = countersAfter(...readings);
          assert.equal(read.ofTotal(), null);
          assert.deepEqual(read.ofCpus([3, 4]), NONE);
        }
        const twice = countersAfter(linesOf(times), linesOf(times));
        assert.deepEqual(twice.ofTotal(), NONE);
        assert.deepEqual(twice.ofCpu(3), NONE);
        assert.deepEqual(twice.ofCpu(4), NONE);
      }),
      RUNS,
    );
  });

  test("lines in any order among others, and short lines of old kernels", () => {
    const lines = [
      "intr 5 0 0",
      "cpu1 1 2 3 4",
      "btime 5",
      "cpu  1 2 3 4 5 6 7 8 9 10",
      "cpu0 x",
      "softirq 1",
    ];
    fc.assert(
      fc.property(fc.shuffledSubarray(lines, { minLength: lines.length }), (shuffled) => {
        const read = countersAfter(["cpu 0 0 0 0", "cpu0 0 0 0 0", "cpu1 0 0 0 0"], shuffled);
        assert.deepEqual(read.cpus, [1]);
        assert.deepEqual(read.ofTotal(), { busy: 1 + 2 + 3 + 6 + 7 + 8, elapsed: 36 });
        assert.deepEqual(read.ofCpu(1), { busy: 6, elapsed: 10 });
      }),
    );
  });
});

describe("tables", () => {
  test("/proc/meminfo: any order; a missing value is null, never 0", () => {
    const kib = fc.integer({ min: 1, max: 2 ** 40 });
    fc.assert(
      fc.property(kib, kib, fc.boolean(), (total, available, hasAvailable) => {
        const lines = [`MemTotal: ${total} kB`, ...(hasAvailable ? [`MemAvailable: ${available} kB`] : [])];
        const memory = parseMeminfo(lines.reverse(), null);
        const used = hasAvailable && available <= total ? (total - available) * 1024 : null;
        assert.equal(memory?.used_bytes, used);
        assert.equal(memory.utilization, used === null ? null : percentOf(total - available, total));
        assert.equal(memory.swap_total_bytes, null);
        assert.equal(memory.free_bytes, null);
      }),
      RUNS,
    );
  });

  test("/proc/meminfo: a line that does not match the pattern is not read", () => {
    const name = fc.constantFrom("MemTotal", "MemFree", "Mem", "Cached", "SwapCached", "a b");
    const blanks = fc.constantFrom("", " ", "\t ", "      ");
    const number = fc.maxSafeInteger().map(String);
    const rest = fc.constantFrom(" kB", " kB ", " kB\r", " KB", "kB", " kB x", "9999999 kB", "");
    fc.assert(
      fc.property(fc.array(fc.tuple(name, blanks, number, rest)), (rows) => {
        const lines = [
          "MemTotal: 1 kB",
          ...rows.map(([key, gap, value, end]) => `${key}:${gap}${value}${end}`),
        ];
        const plain = new Map<string, number>();
        for (const line of lines) {
          const match = /^(\w+):\s+(\d{1,16}) kB$/.exec(line.trimEnd());
          const bytes = Number(match?.[2]) * 1024;
          if (match?.[1] !== undefined && Number.isSafeInteger(bytes)) plain.set(match[1], bytes);
        }
        const memory = parseMeminfo(lines, null);
        assert.ok(memory);
        assert.equal(memory.total_bytes, plain.get("MemTotal"));
        assert.equal(memory.free_bytes, plain.get("MemFree") ?? null);
        assert.equal(memory.cached_bytes, plain.get("Cached") ?? null);
      }),
      RUNS,
    );
  });

  test("df: healthy rows stay among noise, cut and doubled rows", () => {
    const path = fc.string({ unit: fc.constantFrom("a", "b", " ", "ü", "/"), minLength: 1, maxLength: 12 });
    const sizes = fc.tuple(fc.integer({ min: 1, max: 2 ** 40 }), fc.nat(2 ** 40), fc.nat(2 ** 40));
    const noise = fc.constantFrom(
      "df: /x: Permission denied",
      "",
      "Filesystem 1024-blocks Used Available",
      "/dev/x 1 2",
    );
    fc.assert(
      fc.property(path, sizes, fc.array(noise), (name, [total, used, available], lines) => {
        const mount = `/${name.trim()}`;
        const row = `/dev/sd a  ${total} ${used} ${available} 5% ${mount}`;
        const rows = parseDf([...lines, row, row.slice(0, 12), ...lines].join("\n"));
        assert.deepEqual(
          rows.map(({ mount_point, total_bytes, available_bytes }) => [
            mount_point,
            total_bytes,
            available_bytes,
          ]),
          [[mount, total * 1024, available * 1024]],
        );
      }),
      RUNS,
    );
  });

  test("ps: rows in any order; a row that is cut off does not affect the others", () => {
    const header = "1000000\n PID PPID NLWP NI PRI %CPU %MEM RSS VSZ ELAPSED TIME STAT USER COMMAND\n";
    const row = (pid: number): string => `${pid} 1 2 0 19 3.5 0.1 4 8 01:40 00:00:07 S me a  b ${pid}`;
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 1, max: 4e6 }), { minLength: 1 }),
        fc.nat(20),
        (pids, cut) => {
          const last = row(4_000_001).slice(0, cut);
          const read = parsePs(header + [...pids.map(row), last].join("\n"));
          for (const pid of pids) {
            const process = read.get(pid);
            assert.equal(process?.command, `a  b ${pid}`);
            assert.equal(process.start_time, new Date((1_000_000 - 100) * 1000).toISOString());
            assert.equal(process.cpu_time, 7);
          }
        },
      ),
    );
  });

  test("ps: the kernel's name is in a column of its own, with its blanks", () => {
    const column = (name: string): string => name.padEnd(15);
    const stdout = [
      "1000000",
      `  PID USER     ${column("COMMAND")} COMMAND`,
      `    7 me       ${column("tmux: server")} tmux new -s x`,
      `    8 me       ${column("text-generation")} /usr/bin/text-generation-launcher`,
      "    9 me       python3 <defunct> [python3] <defunct>",
    ].join("\n");
    const names = [...parsePs(stdout).values()].map(({ comm, command }) => [comm, command]);
    assert.deepEqual(names, [
      ["tmux: server", "tmux new -s x"],
      ["text-generation", "/usr/bin/text-generation-launcher"],
      ["python3", "[python3] <defunct>"],
    ]);
  });

  test("ps: a start time does not change with the second in which ps ran", () => {
    const reader = createPsReader();
    const at = (now: number, elapsed: string): string | null | undefined => {
      const stdout = `${now}\nPID ELAPSED COMMAND\n9 ${elapsed} x\n`;
      return reader.read(outputsOf([["host.ps", stdout]], { kind: "exit", code: 0 })).get(9)?.start_time;
    };
    const first = at(1000, "00:10");
    assert.equal(first, new Date(990_000).toISOString());
    assert.equal(at(1005, "00:14"), first);
    assert.equal(at(1011, "00:21"), first);
    assert.equal(
      at(1020, "00:02"),
      new Date(1_018_000).toISOString(),
      "the pid was given to another process",
    );
  });

  test("CPU lists: ranges as the kernel writes them, and nothing else", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(4000), { minLength: 1 }), (cpus) => {
        const sorted = cpus.sort((a, b) => a - b);
        const text = sorted.map((cpu, i) => (i % 2 === 0 ? `${cpu}` : `${cpu}-${cpu}`)).join(",");
        assert.deepEqual(cpuList(`${text}\n`), sorted);
      }),
    );
    for (const bad of ["", "a", "3-1", "1,,2", "-1", "0-99999999", "0-65536", "1-"])
      assert.equal(cpuList(bad), null, bad);
  });
});

test("ps with a column whose name is a property of every object", () => {
  const processes = parsePs("1700000000\nPID constructor COMMAND\n7 x sh -c words\n");
  assert.equal(processes.get(7)?.command, "sh -c words");
});
