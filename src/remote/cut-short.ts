/** A tick's answer that stopped before its end: what of it stands, and what stands for the part that it stopped in. */
import type { PartOutput, PartOutputs } from "../shims/kit/shim.js";
import { MORE_THAN_A_FRAME } from "./answer-bounds.js";
import type { Found } from "./found.js";
import type { LaneEnd } from "./lane.js";

/** What stands for the answer of a part that printed without end; null when the channel ended for another reason. */
export function floodIn(end: LaneEnd): PartOutput | null {
  const gaveUp = diedOfMemory(end);
  if (end.kind !== "flooded" && !gaveUp) return null;
  const what = gaveUp ? "more than the remote shell could hold" : MORE_THAN_A_FRAME;
  return { stdout: "", stderr: "", end: { kind: "flooded", what } };
}

/** A shell at its limit: bash and busybox end with a status, dash by SIGSEGV. */
function diedOfMemory(end: LaneEnd): boolean {
  if (end.kind === "exit") return end.code !== 0;
  return end.kind === "signal" && end.signal.endsWith("SEGV");
}

/**
 * What had come when the answer stopped. Rows that a vendor tool had printed stand; of the host's own parts a beginning
 * would count too few CPUs. `late` stands for the end of the part that hung.
 */
export function markCutShort(
  found: Pick<Found, "system">,
  outputs: PartOutputs,
  late: PartOutput | null,
): PartOutputs {
  const own = new Set(found.system?.parts.map(({ id }) => id));
  return new Map(
    [...outputs].map(([id, output]): [string, PartOutput] => {
      if (output.end.kind !== "missing") return [id, output];
      const stdout = own.has(id) ? "" : output.stdout;
      return [
        id,
        {
          ...output,
          stdout,
          end: late?.end.kind === "timeout" ? { kind: "timeout", afterSecs: late.end.afterSecs } : output.end,
        },
      ];
    }),
  );
}
