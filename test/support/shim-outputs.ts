/** Runs a shim on recorded outputs, as the probe and a tick would. */
import assert from "node:assert/strict";
import type { Section } from "../../src/contract/record.js";
import type {
  PartEnd,
  PartOutput,
  PartOutputs,
  ProbeContext,
  Reading,
  Shim,
} from "../../src/shims/kit/shim.js";

export type Answer = string | { stdout?: string; stderr?: string; end?: PartEnd };

export function partOutputs(answers: Readonly<Record<string, Answer>>): PartOutputs {
  return new Map(Object.entries(answers).map(([id, answer]) => [id, partOutput(answer)]));
}

function partOutput(answer: Answer): PartOutput {
  const given = typeof answer === "string" ? { stdout: answer } : answer;
  return { stdout: "", stderr: "", end: { kind: "exit", code: 0 }, ...given };
}

export function probeContext(
  include: readonly Section[] = ["gpu", "process"],
  mode: ProbeContext["mode"] = "shell",
): ProbeContext {
  return { include: new Set(include), mode };
}

/** The first reading, from the probe's own outputs; fails where the shim does not take the host. */
export function firstReading(shim: Shim, outputs: PartOutputs, context = probeContext()): Reading {
  const verdict = shim.judge(outputs, context);
  assert.equal(verdict.kind, "usable", "message" in verdict ? verdict.message : undefined);

  return verdict.sampler.parse(outputs);
}
