/** The cost of every parser of a host's own sections is linear in the length of the text, whatever a host prints. */
import { test } from "node:test";
import { SECTIONS } from "../../src/contract/record.js";
import { darwin } from "../../src/system/darwin.js";
import { parseDf } from "../../src/system/df.js";
import type { HostSystem } from "../../src/system/host-system.js";
import { linux } from "../../src/system/linux.js";
import { createPsReader, parsePs } from "../../src/system/ps.js";
import { windows } from "../../src/system/windows.js";
import { goldenCases } from "../support/golden.js";
import { assertGrowsLinearly, assertLinear, assertTextLinear, type Texts } from "../support/growth.js";

const ALL = new Set(SECTIONS);
const END = { kind: "exit", code: 0 } as const;

for (const system of [linux, darwin, windows] satisfies readonly HostSystem[])
  test(`the cost of parsing ${system.id} is linear`, () => {
    const recordings = goldenCases(system.id)
      .map(({ outputs }) => new Map([...outputs("host.facts")].map(([id, { stdout }]) => [id, stdout])))
      .toSorted((a, b) => b.size - a.size);
    assertLinear(recordings.slice(0, 3), (texts) => {
      const outputs = outputsOf(texts);
      const sampler = system.sampler(outputs, ALL);
      sampler.parse(outputs);
      sampler.parse(outputs);
      createPsReader().read(outputs);
    });
  });

const PS =
  "1700000000\n  PID  PPID NLWP  NI PRI %CPU %MEM   RSS    VSZ     ELAPSED     TIME STAT USER     COMMAND\n" +
  "    1     0    1   0  19  0.0  0.1 12000 170000  1-02:03:04 00:00:09 Ss   root     /sbin/init splash\n" +
  "  812     1   12   0  19 99.5  4.1 92000 990000    02:03:04 01:00:09 Rl   ann      python3 train.py  --x\n";
const DF =
  "Filesystem     1024-blocks      Used Available Capacity Mounted on\n" +
  "/dev/nvme0n1p2   479079112 301234567 153440000      67% /\n" +
  "map auto_home            0         0         0     100% /System/Volumes/Data/home with blanks\n";

test("the cost of parsing ps is linear", () => {
  assertTextLinear([PS], (text) => parsePs(text));
});

test("the cost of parsing df is linear", () => {
  assertTextLinear([DF], parseDf);
});

/** Counters in any order for many CPUs. */
const STAT: readonly (readonly [string, (count: number) => string])[] = [
  ["every second CPU", (count) => `cpu${String(count * 2 + 1)} 1 2 3 4 5 6 7 8`],
  ["the last CPU first", (count) => `cpu${String(999_999 - count)} 1 2 3 4 5 6 7 8`],
];
for (const [what, line] of STAT)
  test(`the cost of parsing /proc/stat is linear: ${what}`, () => {
    const text = (count: number): string =>
      ["cpu 1 2 3 4 5 6 7 8", ...Array.from({ length: count }, (_, index) => line(index))].join("\n");
    assertGrowsLinearly(64 * 1024, text, (stat) => {
      const outputs = outputsOf(new Map([...recording("@cpuinfo\n@sys\n"), ["host.proc", stat]]));
      const sampler = linux.sampler(outputs, ALL);
      sampler.parse(outputs);
      sampler.parse(outputs);
    });
  });

test("the cost of parsing topologies with more CPUs than possible is linear", () => {
  const lines = "/topology/core_siblings_list:0-65000\n/topology/thread_siblings_list:0-65000\n";
  assertGrowsLinearly(
    64 * 1024,
    (count) => `x86_64\n@cpuinfo\n@sys\n${lines.repeat(count)}`,
    (facts) => {
      const outputs = outputsOf(recording(facts));
      linux.sampler(outputs, ALL).parse(outputs);
    },
  );
});

function recording(facts: string): Texts {
  return new Map([["host.facts", facts]]);
}

function outputsOf(texts: Texts): ReadonlyMap<string, { stdout: string; stderr: string; end: typeof END }> {
  return new Map([...texts].map(([id, stdout]) => [id, { stdout, stderr: "", end: END }]));
}
