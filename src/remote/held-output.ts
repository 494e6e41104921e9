/**
 * A tick's answer in one packet. The shell may hold what it has read of the host until the tick's first buffered program
 * has ended, and then writes both at once: a packet more costs some 4 % of a tick's CPU on each side (bench/README.md).
 * While that program hangs nothing arrives, so which program it is must be known without the host (docs/remote-script.md).
 */
import type { Part, PartEnd, PartOutput, PartOutputs } from "../shims/kit/shim.js";
import type { TickPlan } from "./script-plan.js";

/**
 * The part until whose end the shell may hold its output; null: there is none, or it would not be certain that it is this
 * part when nothing comes. Pure.
 */
export function heldPart({ system, tools }: Pick<TickPlan, "system" | "tools">): string | null {
  // A tool whose GPUs sleep is not run: with a second one there would be two parts that nothing was written before.
  const withBuffered = tools.filter(({ parts }) => parts.some(isBufferedProgram));
  if (withBuffered.length !== 1) return null;
  const first = [...system, ...tools.flatMap(({ parts }) => parts)].find(
    ({ kind }) => kind !== "buffered-shell",
  );
  return first !== undefined && isBufferedProgram(first) ? first.id : null;
}

function isBufferedProgram(part: Part): boolean {
  return part.kind === "program" && part.isBuffered === true;
}

/** The output of a part that began and has not ended. */
export const UNDER_WAY: PartOutput = { stdout: "", stderr: "", end: { kind: "missing" } };

/** Outputs of parts that could not be asked, for this reason. */
export function unasked(parts: readonly Part[], why: string): PartOutputs {
  const output: PartOutput = { stdout: "", stderr: "", end: { kind: "missing", why } };
  return new Map(parts.map(({ id }) => [id, output]));
}

/** The output of that part once it was given up. */
export function timedOut(afterSecs: number): PartOutput {
  const end: PartEnd = { kind: "timeout", afterSecs };
  return { stdout: "", stderr: "", end };
}
