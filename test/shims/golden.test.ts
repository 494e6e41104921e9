import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ParseError } from "../../src/contract/errors.js";
import type { PartOutputs, ProbeContext, Shim, ToolVerdict } from "../../src/shims/kit/shim.js";
import { allShims } from "../../src/shims/registry.js";
import { assertComplete, assertGolden, assertOwnDevices, goldenCases } from "../support/golden.js";

const shims = await allShims();

describe("golden cases", () => {
  for (const shim of shims) {
    const cases = goldenCases(shim.id);
    test(`${shim.id} has cases`, () => {
      assert.notEqual(cases.length, 0, `no case in golden/${shim.id}`);
    });
    for (const { name, dir, context, outputs } of cases) {
      test(`${shim.id}/${name}`, () => {
        const firstPart = shim.probe(context)[0];
        assert.ok(firstPart);
        assertComplete(dir);
        assertGolden(dir, readingOf(shim, outputs(firstPart.id), context));
        const verdict = judged(shim, outputs(firstPart.id), context);
        if (verdict !== null && "sampler" in verdict)
          assertOwnDevices(verdict.sampler, outputs(firstPart.id));
      });
    }
  }
});

function judged(shim: Shim, outputs: PartOutputs, context: ProbeContext): ToolVerdict | null {
  try {
    return shim.judge(outputs, context);
  } catch (error) {
    if (error instanceof ParseError) return null;
    throw error;
  }
}

function readingOf(shim: Shim, outputs: PartOutputs, context: ProbeContext): object {
  try {
    const verdict = shim.judge(outputs, context);
    if (!("sampler" in verdict)) return { verdict: verdict.kind, message: verdict.message };
    const { sampler, kind } = verdict;
    const parts = Object.fromEntries(sampler.parts.map((part) => [part.id, part.command]));
    return { verdict: kind, parts, reading: sampler.parse(outputs) };
  } catch (error) {
    if (error instanceof ParseError) return { parse_error: error.message };
    throw error;
  }
}
