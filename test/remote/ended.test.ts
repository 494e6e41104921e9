import assert from "node:assert/strict";
import { test } from "node:test";
import {
  endMessage,
  endOfChannel,
  endOfStatus,
  floodedOutput,
  hasClosed,
  markCutShort,
  unstartedOutput,
  type CutShort,
} from "../../src/remote/ended.js";
import type { PartEnd, PartOutput, PartOutputs } from "../../src/shims/kit/shim.js";

/** Each end, its message, and the flood that it means for the part that was under way. */
const ENDS: readonly (readonly [end: CutShort, message: string, what: string | null])[] = [
  [{ kind: "flooded" }, "the host sent more than 32 MiB for one tick", "more than 32 MiB"],
  [
    { kind: "exit", code: 2 },
    "the remote shell ended with exit code 2",
    "more than the remote shell could hold",
  ],
  [
    { kind: "signal", signal: "SIGSEGV" },
    "the remote shell was ended by SIGSEGV",
    "more than the remote shell could hold",
  ],
  [{ kind: "exit", code: 0 }, "the remote shell ended with exit code 0", null],
  [{ kind: "signal", signal: "SIGTERM" }, "the remote shell was ended by SIGTERM", null],
  [{ kind: "lost" }, "the channel was lost before the answer came", null],
  [{ kind: "hung" }, "the host's shell gives no answer", null],
  [{ kind: "refused", message: "the remote shell hangs" }, "the remote shell hangs", null],
];

for (const [end, message, what] of ENDS) {
  test(`an answer that ended with ${JSON.stringify(end)}`, () => {
    assert.equal(endMessage(end), message);
    const flood = what === null ? null : { stdout: "", stderr: "", end: { kind: "flooded", what } };
    assert.deepEqual(floodedOutput(end), flood);
    assert.equal(hasClosed(end), ["exit", "signal", "lost"].includes(end.kind));
  });
}

for (const [printed, why] of [
  ["\nsh: 1: Cannot fork", "the host can start no more processes"],
  ["\nbash: fork: retry: Resource temporarily unavailable", "the host can start no more processes"],
  ["\nsh: can't fork: Resource temporarily unavailable", "the host can start no more processes"],
  ["\nsh: 1: Out of space", null],
] as const) {
  test(`a shell that ended after it printed ${printed.trim()}`, () => {
    const output = unstartedOutput({ kind: "exit", code: 2 }, printed);
    assert.deepEqual(output, why === null ? null : { stdout: "", stderr: "", end: { kind: "missing", why } });
    assert.equal(unstartedOutput({ kind: "exit", code: 0 }, printed), null);
  });
}

test("the end of a part by its exit status and the time it took", () => {
  const cases: readonly (readonly [status: number, elapsedMs: number, expected: PartEnd])[] = [
    [0, 99_000, { kind: "exit", code: 0 }],
    [6, 10, { kind: "exit", code: 6 }],
    [124, 10, { kind: "timeout", afterSecs: 10 }],
    [137, 9_900, { kind: "timeout", afterSecs: 10 }],
    [137, 9_000, { kind: "signal", signal: "SIGKILL" }],
    [128 + 31, 10, { kind: "exit", code: 159 }],
    [NaN, 10, { kind: "exit", code: 255 }],
  ];
  for (const [status, elapsedMs, expected] of cases)
    assert.deepEqual(endOfStatus(status, elapsedMs, 10), expected, String(status));
});

test("the end of a part that had its own channel", () => {
  assert.deepEqual(endOfChannel({ kind: "exit", code: 3 }), { kind: "exit", code: 3 });
  assert.deepEqual(endOfChannel({ kind: "signal", signal: "SIGHUP" }), { kind: "signal", signal: "SIGHUP" });
  assert.deepEqual(endOfChannel({ kind: "lost" }), { kind: "missing" });
});

const output = (stdout: string, end: PartEnd): PartOutput => ({ stdout, stderr: "", end });
const MISSING: PartEnd = { kind: "missing" };
const SYSTEM = {
  parts: [{ id: "host.proc", kind: "buffered-shell", command: ":" }],
  parse: () => ({ sections: {}, errors: [] }),
} as const;

test("a tool's rows are kept, half of the host's own counters is dropped, and a part that had ended stays as it was", () => {
  const late = output("", { kind: "timeout", afterSecs: 8 });
  const done = output("whole", { kind: "exit", code: 0 });
  for (const proc of [done, output("cpu0 1\ncpu1", MISSING)]) {
    const outputs: PartOutputs = new Map([
      ["host.proc", proc],
      ["tool", output("row 1\n", MISSING)],
    ]);
    const hung = markCutShort(SYSTEM, outputs, late);
    assert.deepEqual(hung.get("tool"), output("row 1\n", { kind: "timeout", afterSecs: 8 }));
    assert.deepEqual(
      hung.get("host.proc"),
      proc === done ? done : output("", { kind: "timeout", afterSecs: 8 }),
    );
    assert.deepEqual(markCutShort(SYSTEM, outputs, null).get("tool"), output("row 1\n", MISSING));
  }
});
