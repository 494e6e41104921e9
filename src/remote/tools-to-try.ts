/** Which tools a round of the probe tries, and which of them it reached. */
import type { Gpu } from "../contract/record.js";
import { isComplete } from "../shims/kit/device-list.js";
import { makerOf, type PartOutputs, type ProbeContext, type Shim } from "../shims/kit/shim.js";
import { areAsleep, sleepersIn } from "./asleep.js";
import type { Frame } from "./frame.js";
import { firstOutput, groupOf, isForAll, isNativeShim, type Judged } from "./probe.js";

/** Whether the bootstrap counts the tool as working, and goes on to the next group. */
function countsAsWorking(shim: Shim, outputs: PartOutputs, context: ProbeContext): boolean {
  if (sleepersIn(shim.id, outputs) !== null) return true;
  const end = firstOutput(shim, outputs, context)?.end;
  return end?.kind === "exit" && end.code === 0;
}

/**
 * Whether to try a tool, or what the kernel reports, that was not tried yet. Where all-smi works, only nvidia-smi is
 * tried, for what all-smi does not report of NVIDIA devices. No other tool of a vendor is tried when one of its tools reports everything.
 */
export function isWanted(shim: Shim, judged: readonly Judged[]): boolean {
  const native = judged.find((each) => each.kind === "usable" && isNativeShim(each.tool.shim));
  if (native?.kind === "usable")
    return shim.id === "nvidia-smi" && (native.first.sections.gpus ?? []).some(isNvidia);
  if (judged.some((each) => each.kind === "usable" && isInPlaceOf(shim, each.tool.shim))) return false;
  return !judged.some(
    (each) =>
      each.kind === "usable" &&
      makerOf(each.tool.shim).vendor === makerOf(shim).vendor &&
      (isComplete(each.first.sections.gpus ?? []) || areAsleep(each.first.sections.gpus ?? [])),
  );
}

/** What the kernel reports is read only where no tool works, and where it is read no tool is tried after it. */
function isInPlaceOf(shim: Shim, working: Shim): boolean {
  return !isNativeShim(working) && (shim.lastResort !== undefined || working.lastResort !== undefined);
}

function isNvidia({ uuid }: Gpu): boolean {
  return uuid?.startsWith("GPU-") === true;
}

/** The tools that the round's shell tried: it skips those whose group has one that works, and may only name a last resort. */
export function reachedBy(toTry: readonly Shim[], frame: Frame, context: ProbeContext): readonly Shim[] {
  const isFound = (shim: Shim): boolean => frame.found.some(({ shim: id }) => id === shim.id);
  const isOnlyNamed = (shim: Shim): boolean =>
    isFound(shim) && firstOutput(shim, frame.outputs, context) === undefined;
  const last = frame.isWhole ? toTry.length - 1 : toTry.findLastIndex(isFound);
  const done = new Set<string>();
  let isDone = false;
  return toTry.slice(0, last + 1).filter((shim) => {
    if (isDone || done.has(groupOf(shim))) return false;
    if (shim.lastResort !== undefined && (done.size > 0 || isOnlyNamed(shim))) return false;
    if (isFound(shim) && countsAsWorking(shim, frame.outputs, context)) {
      if (isForAll(shim)) isDone = true;
      else done.add(groupOf(shim));
    }
    return true;
  });
}
