/** The cost of every vendor parser is linear in the length of the text, whatever a tool prints. */
import { test } from "node:test";
import { ParseError } from "../../src/contract/errors.js";
import { SECTIONS } from "../../src/contract/record.js";
import { findJson } from "../../src/shims/kit/json-text.js";
import type { PartOutputs, Sampler, Shim } from "../../src/shims/kit/shim.js";
import { allShims } from "../../src/shims/registry.js";
import { goldenCases } from "../support/golden.js";
import { assertLinear, assertTextLinear, type Texts } from "../support/growth.js";
import { probeContext } from "../support/shim-outputs.js";

const CONTEXT = probeContext(SECTIONS);

for (const shim of await allShims())
  test(`the cost of parsing ${shim.id} is linear`, () => {
    const recordings = recordingsOf(shim);
    const healthy = recordings.flatMap((texts) => samplerOf(shim, texts));
    assertLinear(recordings.slice(0, 4), (texts) => {
      const outputs = outputsOf(texts);
      const [sampler] = [...samplerOf(shim, texts), ...healthy];
      quietly(() => sampler?.parse(outputs));
    });
  });

test("the cost of finding JSON is linear", () => {
  const texts = goldenCases("native").map(({ outputs }) => outputs("only").get("only")?.stdout ?? "");
  assertTextLinear(texts.slice(0, 4), findJson);
});

function recordingsOf(shim: Shim): readonly Texts[] {
  const first = shim.probe(CONTEXT)[0]?.id ?? "";
  return goldenCases(shim.id)
    .map(({ outputs }) => new Map([...outputs(first)].map(([id, { stdout }]) => [id, stdout])))
    .toSorted((a, b) => b.size - a.size);
}

function outputsOf(texts: Texts): PartOutputs {
  const end = { kind: "exit", code: 0 } as const;
  return new Map([...texts].map(([id, stdout]) => [id, { stdout, stderr: "", end }]));
}

function samplerOf(shim: Shim, texts: Texts): readonly Sampler[] {
  const verdict = quietly(() => shim.judge(outputsOf(texts), CONTEXT));
  return verdict !== undefined && "sampler" in verdict ? [verdict.sampler] : [];
}

function quietly<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}
