import assert from "node:assert/strict";
import { test } from "node:test";
import { cutShort, floodIn } from "../../src/remote/cut-short.js";
import type { LaneEnd } from "../../src/remote/lane.js";
import type { PartEnd, PartOutput, PartOutputs } from "../../src/shims/shim.js";

const SIGPIPE: PartEnd = { kind: "signal", signal: "SIGPIPE" };

const ENDS: readonly { readonly end: LaneEnd; readonly why: RegExp | null }[] = [
  { end: { kind: "flooded" }, why: /more than 32 MiB/ },
  { end: { kind: "exit", code: 2 }, why: /could not hold/ },
  { end: { kind: "signal", signal: "SIGSEGV" }, why: /could not hold/ },
  { end: { kind: "exit", code: 0 }, why: null },
  { end: { kind: "signal", signal: "SIGTERM" }, why: null },
  { end: { kind: "lost" }, why: null },
];

for (const { end, why } of ENDS) {
  test(`a channel that ended so: ${JSON.stringify(end)}`, () => {
    const flood = floodIn(end);
    if (why === null) {
      assert.equal(flood, null);
      return;
    }
    assert.deepEqual(flood?.end, SIGPIPE);
    assert.match(flood.stderr, why);
    assert.equal(flood.stdout, "");
  });
}

const output = (stdout: string, end: PartEnd): PartOutput => ({ stdout, stderr: "", end });
const MISSING: PartEnd = { kind: "missing" };
const found = {
  system: {
    parts: [{ id: "host.proc", kind: "said", command: ":" }],
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
    const hung = cutShort(found, outputs, late);
    assert.deepEqual(hung.get("tool"), output("row 1\n", { kind: "timeout", afterSecs: 8 }));
    assert.deepEqual(
      hung.get("host.proc"),
      proc === done ? done : output("", { kind: "timeout", afterSecs: 8 }),
    );
    assert.deepEqual(cutShort(found, outputs, null).get("tool"), output("row 1\n", MISSING));
  }
});
