import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { QuickCpuCounters } from "../../../src/system/fast/proc-stat.js";
import { PlainCpuCounters, type CpuCounters } from "../../../src/system/proc-stat.js";
import { goldenCases } from "../../support/golden.js";
import { mutationsOf } from "../mutations.js";

const CPUS = [0, 1, 2, 3, 5, 7, 8, 63, 999_999];

function stateOf(counters: CpuCounters): object {
  return {
    hasTotal: counters.hasTotal,
    cpus: [...counters.cpus],
    total: counters.ofTotal(),
    each: CPUS.map((cpu) => counters.ofCpu(cpu)),
    together: [counters.ofCpus(CPUS), counters.ofCpus([]), counters.ofCpus([0, 1])],
  };
}

/** A reading leaves nothing behind that a later one could mix up: hence several in one pair of counters. */
function assertAgree(texts: readonly string[]): void {
  const [plain, quick] = [new PlainCpuCounters(), new QuickCpuCounters()];
  for (const text of texts) {
    const lines = text.split("\n");
    assert.equal(quick.read(lines), plain.read(lines));
    assert.deepEqual(stateOf(quick), stateOf(plain));
  }
}

const RECORDINGS = goldenCases("linux").map(
  ({ outputs }) => outputs("host.facts").get("host.proc")?.stdout ?? "",
);

const field = fc.oneof(
  fc.nat(1000).map(String),
  fc.constantFrom(
    "0",
    "-1",
    "1.5",
    "x",
    "",
    "00012",
    "9007199254740991",
    "9007199254740992",
    "12345678901234567",
    "१",
  ),
);
const name = fc.oneof(
  fc.constantFrom("cpu", "cpu ", "cpux", "cpu1234567", "cpu-1", "intr", "cpu007", "xcpu0"),
  fc.constantFrom(...CPUS).map((cpu) => `cpu${String(cpu)}`),
);
const gap = fc.constantFrom(" ", " ", " ", "  ", "\t", "\r", "\u00a0", "\u2028");
const line = fc
  .tuple(name, fc.array(fc.tuple(gap, field), { maxLength: 11 }), fc.constantFrom("", "\r", " "))
  .map(([first, rest, end]) => `${first}${rest.flat().join("")}${end}`);
/** Lines that grow from reading to reading, as the kernel's do. */
const growing = fc
  .array(fc.tuple(fc.constantFrom(...CPUS, -1), fc.nat(100), fc.nat(100)), { maxLength: 12 })
  .map((rows) =>
    rows.map(
      ([cpu, busy, idle]) => `cpu${cpu < 0 ? "" : String(cpu)} ${String(busy)} 0 1 ${String(idle)} 2 3 4 5`,
    ),
  );

test("the plain and the quick counters agree on recorded /proc/stat, mutated", () => {
  const recording = fc.oneof(...RECORDINGS.map(mutationsOf));
  fc.assert(fc.property(fc.array(recording, { minLength: 1, maxLength: 4 }), assertAgree), { numRuns: 300 });
});

test("they agree on recorded /proc/stat, cut at any character", () => {
  for (const text of RECORDINGS) {
    const step = Math.max(1, Math.floor(text.length / 500));
    for (let end = 0; end < text.length; end += step) assertAgree([text, text.slice(0, end), text]);
  }
});

test("they agree on lines that are almost right, and on arbitrary text", () => {
  const lines = fc.oneof(fc.array(line, { maxLength: 10 }), growing).map((each) => each.join("\n"));
  const text = fc.oneof({ weight: 4, arbitrary: lines }, fc.string({ unit: "binary", maxLength: 200 }));
  fc.assert(fc.property(fc.array(text, { minLength: 1, maxLength: 5 }), assertAgree), { numRuns: 1000 });
});
