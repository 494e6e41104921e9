/** Judges what the tools of a host answered to the probe, one by one. */
import { ParseError } from "../contract/errors.js";
import type { Gpu, Section } from "../contract/record.js";
import { isComplete, isPoor } from "../shims/kit/core-readings.js";
import { outputText } from "../shims/kit/part-output.js";
import type { PartOutput, PartOutputs, ProbeContext, Reading, Sampler, Shim } from "../shims/kit/shim.js";
import { makerOf } from "../shims/kit/vendors.js";
import { readSampler } from "./compose.js";
import type { FoundTool, Frame } from "./frame.js";
import type { ToolCandidate } from "./script.js";

/** A vendor tool that a host is read with, or that fails there. */
export type ChosenTool = UsableTool | BrokenTool;

export interface UsableTool {
  readonly kind: "usable";
  readonly shim: Shim;
  readonly executable: string;
  readonly sampler: Sampler;
}

/** It is there and fails: the host's own sections are read, and the record holds its message. */
export interface BrokenTool {
  readonly kind: "broken";
  readonly shim: Shim;
  readonly message: string;
  readonly isTimeout: boolean;
}

/** What the probe showed of one tool that is on the host. */
export type Judged =
  | {
      readonly kind: "usable" | "poor";
      readonly tool: UsableTool;
      /** What it read in the probe. */
      readonly first: Reading;
    }
  | { readonly kind: "broken"; readonly tool: BrokenTool }
  | { readonly kind: "too-old"; readonly shim: Shim; readonly message: string };

export function isNativeShim(shim: Shim): boolean {
  return shim.id === "native";
}

/** The bootstrap's view of the shims. Native is everyone's: where it works no other is asked at once. */
export function candidatesOf(shims: readonly Shim[], context: ProbeContext): readonly ToolCandidate[] {
  return shims.map((shim) => ({
    shim: shim.id,
    group: isNativeShim(shim) ? null : groupOf(shim),
    executables: shim.executables,
    probe: shim.probe(context),
  }));
}

/** Tools of which one that works keeps the others from being asked in the same round. */
function groupOf(shim: Shim): string {
  const { vendor, isAlways } = makerOf(shim.id);
  return isAlways === true ? shim.id : vendor;
}

export function shimOf(judged: Judged): Shim {
  return judged.kind === "too-old" ? judged.shim : judged.tool.shim;
}

/** Judges a round's tools, in order. `outputs` hold those of earlier rounds too. */
export function judgeFound(
  shims: readonly Shim[],
  found: readonly FoundTool[],
  outputs: PartOutputs,
  context: ProbeContext,
): readonly Judged[] {
  return found.flatMap(({ shim: id, executable }) => {
    const shim = shims.find((each) => each.id === id);
    if (shim === undefined || !shim.executables.includes(executable)) return [];
    const first = firstOutput(shim, outputs, context);
    return first === undefined ? [] : [judgeTool(shim, executable, first, outputs, context)];
  });
}

function judgeTool(
  shim: Shim,
  executable: string,
  first: PartOutput,
  outputs: PartOutputs,
  context: ProbeContext,
): Judged {
  const broken = (message: string): Judged => {
    const isTimeout = first.end.kind === "timeout" || first.end.kind === "missing";
    return { kind: "broken", tool: { kind: "broken", shim, message, isTimeout } };
  };
  const cannotStart = whyItCannotStart(executable, first);
  if (cannotStart !== null) return broken(cannotStart);
  try {
    const verdict = shim.judge(outputs, context);
    switch (verdict.kind) {
      case "broken":
        return broken(verdict.message);
      case "too-old":
        return { kind: "too-old", shim, message: verdict.message };
      case "usable":
      case "poor": {
        const tool: UsableTool = { kind: "usable", shim, executable, sampler: verdict.sampler };
        const reading = firstReading(tool, outputs, context);
        const gpus = reading.sections.gpus ?? [];
        const blind = isNativeShim(shim) && context.include.has("gpu") && gpus.length === 0;
        const poor = verdict.kind === "poor" || blind || isPoor(gpus);
        return { kind: poor ? "poor" : "usable", tool, first: reading };
      }
    }
  } catch (error) {
    if (error instanceof ParseError) return broken(error.message);
    throw error;
  }
}

/** Of the probe's own answers: every tick's parts are among them. */
export function firstReading(tool: UsableTool, outputs: PartOutputs, { include }: ProbeContext): Reading {
  const asked = sectionsOfTool(tool.shim, [...include]);
  return readSampler(tool.sampler, outputs, asked);
}

/** Which of the asked sections a tool is to report. */
export function sectionsOfTool(shim: Shim, asked: readonly Section[]): readonly Section[] {
  return isNativeShim(shim) ? asked : asked.filter((section) => section === "gpu" || section === "process");
}

/** What sh makes of a binary that the kernel does not run, and what shells that look at it first say. */
const NOT_FOR_THIS_MACHINE = /: (?:line )?1: [Ss]yntax error|cannot execute binary file|Exec format error/;

/** Exit 126 or 127 of a program that is there: its interpreter, its loader or a library is not, or its mode forbids it. */
function whyItCannotStart(executable: string, output: PartOutput): string | null {
  if (output.end.kind !== "exit" || output.end.code === 0) return null;
  const { code } = output.end;
  // The probe's own lines among it (`@fields ...`) are no message.
  const said = outputText({ ...output, stdout: output.stdout.replace(/^@\w+ .*$/gm, "").trim() });
  const isAlien = NOT_FOR_THIS_MACHINE.test(said);
  if (code !== 126 && code !== 127 && !isAlien) return null;
  const why = isAlien
    ? "it is no program for this machine"
    : said !== ""
      ? said
      : code === 126
        ? "it is not executable"
        : "it, its interpreter, its loader or a library of its is missing";
  return `${executable} is installed and cannot start (exit code ${code}): ${why}`;
}

function firstOutput(shim: Shim, outputs: PartOutputs, context: ProbeContext): PartOutput | undefined {
  const first = shim.probe(context)[0];
  return first === undefined ? undefined : outputs.get(first.id);
}

/** Whether the shell takes the tool for one that works. */
function hasStopped(shim: Shim, outputs: PartOutputs, context: ProbeContext): boolean {
  const end = firstOutput(shim, outputs, context)?.end;
  return end?.kind === "exit" && end.code === 0;
}

/**
 * Whether a tool that was not tried yet is to be: none where all-smi reports all devices, but nvidia-smi for what all-smi
 * does not report of NVIDIA's; and none of a vendor whose tool reports all that there is to report.
 */
export function isWanted(shim: Shim, judged: readonly Judged[]): boolean {
  const native = judged.find((each) => each.kind === "usable" && isNativeShim(each.tool.shim));
  if (native?.kind === "usable")
    return shim.id === "nvidia-smi" && (native.first.sections.gpus ?? []).some(isNvidia);
  return !judged.some(
    (each) =>
      each.kind === "usable" &&
      makerOf(each.tool.shim.id).vendor === makerOf(shim.id).vendor &&
      isComplete(each.first.sections.gpus ?? []),
  );
}

function isNvidia({ uuid }: Gpu): boolean {
  return uuid?.startsWith("GPU-") === true;
}

/** The tools that the round's shell came to: it passes over those whose group has one that works. */
export function reachedBy(toTry: readonly Shim[], frame: Frame, context: ProbeContext): readonly Shim[] {
  const isFound = (shim: Shim): boolean => frame.found.some(({ shim: id }) => id === shim.id);
  const last = frame.isWhole ? toTry.length - 1 : toTry.findLastIndex(isFound);
  const over = new Set<string>();
  let isOver = false;
  return toTry.slice(0, last + 1).filter((shim) => {
    if (isOver || over.has(groupOf(shim))) return false;
    if (isFound(shim) && hasStopped(shim, frame.outputs, context)) {
      if (isNativeShim(shim)) isOver = true;
      else over.add(groupOf(shim));
    }
    return true;
  });
}
