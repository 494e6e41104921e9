import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { quickMeminfo } from "../../../src/system/fast/proc-meminfo.js";
import { MEMINFO_NAMES, plainMeminfo } from "../../../src/system/proc-meminfo.js";
import { goldenCases } from "../../support/golden.js";
import { mutationsOf } from "../mutations.js";

function assertAgree(text: string): void {
  const lines = text.split("\n");
  assert.deepEqual(quickMeminfo(lines, MEMINFO_NAMES), plainMeminfo(lines, MEMINFO_NAMES));
}

const RECORDINGS = goldenCases("linux").map(
  ({ outputs }) => outputs("host.facts").get("host.proc")?.stdout ?? "",
);

test("the plain and the quick reader agree on recorded /proc/meminfo, mutated", () => {
  fc.assert(fc.property(fc.oneof(...RECORDINGS.map(mutationsOf)), assertAgree), { numRuns: 1000 });
});

test("they agree on recorded /proc/meminfo, cut at any character", () => {
  for (const text of RECORDINGS) {
    const from = Math.max(0, text.indexOf("Mem"));
    const step = Math.max(1, Math.floor((text.length - from) / 500));
    for (let end = from; end < text.length; end += step) assertAgree(text.slice(from, end));
  }
});

test("they agree on lines that are almost right, and on arbitrary text", () => {
  const name = fc.constantFrom(
    ...MEMINFO_NAMES,
    "Mem",
    "SwapCached",
    "memTotal",
    "MemTotalX",
    "a b",
    "",
    "constructor",
  );
  const gap = fc.constantFrom(" ", "   ", "\t ", "", "\u00a0", "\r", " \u2028");
  const number = fc.oneof(
    fc.maxSafeInteger().map(String),
    fc.constantFrom(
      "0",
      "007",
      "-1",
      "1.5",
      "",
      "8796093022207",
      "8796093022208",
      "0000000000000001",
      "00000000000000001",
    ),
  );
  const end = fc.constantFrom(" kB", " kB ", " kB\r", " KB", "kB", "  kB", " kB x", " kB\u2028", "");
  const line = fc.tuple(name, fc.constantFrom(":", ":", " :", "::", ""), gap, number, end);
  const lines = fc
    .array(
      line.map((parts) => parts.join("")),
      { maxLength: 12 },
    )
    .map((each) => each.join("\n"));
  const text = fc.oneof({ weight: 4, arbitrary: lines }, fc.string({ unit: "binary", maxLength: 200 }));
  fc.assert(fc.property(text, assertAgree), { numRuns: 2000 });
});
