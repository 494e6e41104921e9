/** Answers of two looks at a kernel log, one after the other, as in golden/kernel-log. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { KernelLog, type LogStep } from "../../../src/system/kernel-log/kernel-log.js";
import { KERNEL_LOG } from "../../../src/system/kernel-log/questions.js";
import type { Reading } from "../../../src/shims/kit/shim.js";
import { assertComplete, assertGolden, goldenCases } from "../../support/golden.js";

const readingOf = (step: LogStep): Reading => ({
  sections: step.kind === "read" ? { events: step.events } : {},
  errors: step.kind === "failed" ? [step.error] : [],
});

describe("golden cases of the kernel log", () => {
  const cases = goldenCases("kernel-log");
  test("are there", () => assert.notEqual(cases.length, 0));
  for (const { name, dir, outputs } of cases)
    test(name, () => {
      assertComplete(dir);
      const log = new KernelLog();
      log.connected();
      const looks = [KERNEL_LOG, `${KERNEL_LOG}.next`].map((id) => {
        const question = log.question();
        return { question, step: log.answer(outputs(id).get(id)?.stdout ?? "") };
      });
      assertGolden(dir, {
        questions: looks.map(({ question }) => question?.replace(/\| \{ while.*/, "| ...")),
        kinds: looks.map(({ step }) => step.kind),
        reading: readingOf(looks[0]?.step ?? { kind: "again" }),
        next: readingOf(looks[1]?.step ?? { kind: "again" }),
      });
    });
});
