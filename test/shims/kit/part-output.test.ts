import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { SectionError } from "../../../src/contract/record.js";
import { firstErrors, partError } from "../../../src/shims/kit/part-output.js";
import type { PartOutput } from "../../../src/shims/kit/shim.js";

const output = (end: PartOutput["end"], stderr = "", stdout = ""): PartOutput => ({ stdout, stderr, end });

const CASES: readonly {
  what: string;
  given: PartOutput | undefined;
  wasRead?: boolean;
  expected: object | null;
}[] = [
  { what: "exit 0", given: output({ kind: "exit", code: 0 }, "a warning"), expected: null },
  {
    what: "a failure with a message on stderr",
    given: output({ kind: "exit", code: 255 }, "no driver\nsecond line\n"),
    expected: { kind: "error", message: "tool: no driver; second line", exit_code: 255 },
  },
  {
    what: "a failure with a message on stdout",
    given: output({ kind: "exit", code: 1 }, "", "no device"),
    expected: { kind: "error", message: "tool: no device", exit_code: 1 },
  },
  {
    what: "a failure with a message in JSON",
    given: output({ kind: "exit", code: 1 }, "", '{"error": "no device", "code": -3}'),
    expected: { kind: "error", message: "tool: no device", exit_code: 1 },
  },
  {
    what: "a failure whose output was read",
    given: output({ kind: "exit", code: 1 }, "", "0, card, 71"),
    wasRead: true,
    expected: { kind: "error", message: "tool exited 1", exit_code: 1 },
  },
  {
    what: "a signal",
    given: output({ kind: "signal", signal: "SIGSEGV" }),
    expected: { kind: "error", message: "tool was ended by SIGSEGV", exit_signal: "SIGSEGV" },
  },
  {
    what: "a timeout",
    given: output({ kind: "timeout", afterSecs: 5 }),
    expected: { kind: "timeout", message: "tool gave no answer within 5 s" },
  },
  {
    what: "too much output",
    given: output({ kind: "flooded", what: "more than 8 MiB" }, "a warning"),
    expected: { kind: "error", message: "tool printed more than 8 MiB; it is paused for a while" },
  },
  {
    what: "a long message",
    given: output({ kind: "exit", code: 1 }, "", `${" ".repeat(9000)}no device\n${"613\n".repeat(9000)}`),
    expected: {
      kind: "error",
      message: `tool: ${`no device; ${"613; ".repeat(99)}`.slice(0, 299)}…`,
      exit_code: 1,
    },
  },
  {
    what: "a lost answer",
    given: output({ kind: "missing" }),
    expected: { kind: "error", message: "tool: its answer did not arrive" },
  },
  {
    what: "no answer",
    given: undefined,
    expected: { kind: "error", message: "tool was not asked in this tick" },
  },
];

describe("partError", () => {
  for (const { what, given, wasRead, expected } of CASES)
    test(what, () => {
      assert.deepEqual(
        partError("gpu", "tool", given, wasRead),
        expected === null ? null : { section: "gpu", ...expected },
      );
    });
});

test("of many errors the first are listed and the rest counted", () => {
  const errors = Array.from({ length: 40 }, (_, i): SectionError => {
    return { section: "gpu", kind: "error", message: `row ${String(i)}` };
  });
  assert.equal(firstErrors(errors).length, 17);
  assert.equal(firstErrors(errors).at(-1)?.message, "and 24 more errors like these");
  assert.deepEqual(firstErrors(errors.slice(0, 3)), errors.slice(0, 3));
});
