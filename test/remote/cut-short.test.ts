import assert from "node:assert/strict";
import { test } from "node:test";
import { markCutShort, floodIn } from "../../src/remote/cut-short.js";
import type { LaneEnd } from "../../src/remote/lane.js";
import type { PartEnd, PartOutput, PartOutputs } from "../../src/shims/kit/shim.js";

const ENDS: readonly { readonly end: LaneEnd; readonly what: string | null }[] = [
  { end: { kind: "flooded" }, what: "more than 32 MiB" },
  { end: { kind: "exit", code: 2 }, what: "more than the remote shell could hold" },
  { end: { kind: "signal", signal: "SIGSEGV" }, what: "more than the remote shell could hold" },
  { end: { kind: "exit", code: 0 }, what: null },
  { end: { kind: "signal", signal: "SIGTERM" }, what: null },
  { end: { kind: "lost" }, what: null },
];

for (const { end, what } of ENDS) {
  test(`a channel that ended so: ${JSON.stringify(end)}`, () => {
    const flood = what === null ? null : { stdout: "", stderr: "", end: { kind: "flooded", what } };
    assert.deepEqual(floodIn(end), flood);
  });
}

const output = (stdout: string, end: PartEnd): PartOutput => ({ stdout, stderr: "", end });
const MISSING: PartEnd = { kind: "missing" };
const found = {
  system: {
    parts: [{ id: "host.proc", kind: "buffered-shell", command: ":" }],
    parse: () => ({ sections: {}, errors: [] }),
  },
} as const;

test("rows of a tool stand, half of the host's own counters does not, and what had ended is as it was", () => {
  const late = output("", { kind: "timeout", afterSecs: 8 });
  const done = output("whole", { kind: "exit", code: 0 });
  for (const proc of [done, output("cpu0 1\ncpu1", MISSING)]) {
    const outputs: PartOutputs = new Map([
      ["host.proc", proc],
      ["tool", output("row 1\n", MISSING)],
    ]);
    const hung = markCutShort(found, outputs, late);
    assert.deepEqual(hung.get("tool"), output("row 1\n", { kind: "timeout", afterSecs: 8 }));
    assert.deepEqual(
      hung.get("host.proc"),
      proc === done ? done : output("", { kind: "timeout", afterSecs: 8 }),
    );
    assert.deepEqual(markCutShort(found, outputs, null).get("tool"), output("row 1\n", MISSING));
  }
});
