/** The tools of a host, and the verdict on each by what it answered to the probe. */
import { ParseError } from "../contract/errors.js";
import { NATIVE_SECTIONS, type Gpu, type Section } from "../contract/record.js";
import type { ToolPaths } from "../contract/tool-path.js";
import { isPoor } from "../shims/kit/device-list.js";
import { outputText } from "../shims/kit/part-output.js";
import {
  makerOf,
  type PartOutput,
  type PartOutputs,
  type ProbeContext,
  type Reading,
  type Sampler,
  type Shim,
  type ToolFacts,
} from "../shims/kit/shim.js";
import { sleepersIn, SleepingSampler, sleepingGpus, wokenBy } from "./asleep.js";
import { readSampler } from "./compose.js";
import type { FoundTool } from "./frame.js";
import type { ToolCandidate } from "./script-plan.js";
import { GIVEN, plainWord, shellWord } from "./tool-word.js";

/** A vendor tool that a host is read with, or that fails there. */
export type ChosenTool = UsableTool | BrokenTool;

export interface UsableTool {
  readonly kind: "usable";
  readonly shim: Shim;
  /** As a word of a command. */
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

/** The tools that one vendor's devices are read with. */
export type DeviceSource =
  | {
      readonly kind: "usable";
      readonly main: UsableTool;
      /** Fills in, tick by tick, what the main one does not report of the same devices. */
      readonly second: UsableTool | null;
      /** Names and ids of the same devices, from the probe, by tools that have no readings. */
      readonly known: readonly Gpu[];
    }
  | { readonly kind: "broken"; readonly main: BrokenTool };

/** All tools of the sources, those that failed included, in order. */
export function toolsOf(sources: readonly DeviceSource[]): readonly ChosenTool[] {
  return sources.flatMap((source): readonly ChosenTool[] =>
    source.kind === "broken" || source.second === null ? [source.main] : [source.main, source.second],
  );
}

/** What the probe showed of one tool that is on the host. */
export type Judged =
  | {
      readonly kind: "usable" | "poor";
      readonly tool: UsableTool;
      /** What it read in the probe. */
      readonly first: Reading;
      /** To keep for a later run. */
      readonly facts?: ToolFacts;
    }
  | { readonly kind: "broken"; readonly tool: BrokenTool }
  | { readonly kind: "too-old"; readonly shim: Shim; readonly message: string };

export type Readable = Judged & { readonly kind: "usable" | "poor" };

export function isReadable(judged: Judged): judged is Readable {
  return judged.kind === "usable" || judged.kind === "poor";
}

export function isNativeShim(shim: Shim): boolean {
  return shim.id === "native";
}

/**
 * The shims as the bootstrap tries them. all-smi (`native`) covers every vendor: where it works no other is tried in that
 * round. The first round only shows whether a last resort is needed and there: its commands are as long as all the others'.
 */
export function candidatesOf(
  shims: readonly Shim[],
  context: ProbeContext,
  round: "first" | "later",
  toolPaths: ToolPaths = {},
): readonly ToolCandidate[] {
  return shims.map((shim) => ({
    wakes: context.isWaking === true ? [] : wokenBy(shim),
    shim: shim.id,
    group: isForAll(shim) ? null : groupOf(shim),
    executables: shim.executables,
    path: toolPaths[shim.id] ?? null,
    probe: round === "first" && shim.lastResort !== undefined ? [] : shim.probe(context),
    ...(shim.lastResort === undefined ? {} : { lastResort: shim.lastResort }),
  }));
}

/** Once it works, no other tool is tried in the same round. */
export function isForAll(shim: Shim): boolean {
  return isNativeShim(shim) || shim.lastResort !== undefined;
}

/** Once one tool of a group works, the others of the group are not tried in the same round. */
export function groupOf(shim: Shim): string {
  const { vendor, isAlways } = makerOf(shim);
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
  toolPaths: ToolPaths = {},
): readonly Judged[] {
  return found.flatMap(({ shim: id, executable }) => {
    const shim = shims.find((each) => each.id === id);
    const path = executable === GIVEN ? toolPaths[id] : undefined;
    if (shim === undefined || (path === undefined && !shim.executables.includes(executable))) return [];
    const program = path === undefined ? searchedProgram(executable) : givenProgram(path, context);
    const sleepers = sleepersIn(shim.id, outputs);
    if (sleepers !== null) return [sleeping(shim, program.word, sleepers)];
    const first = firstOutput(shim, outputs, context);
    return first === undefined ? [] : [judgeTool(shim, program, first, outputs, context)];
  });
}

/** A tool that is there and was not run, since its GPUs sleep. */
function sleeping(shim: Shim, executable: string, addresses: readonly string[]): Judged {
  const tool = { kind: "usable", shim, executable, sampler: new SleepingSampler(shim) } as const;
  return { kind: "usable", tool, first: { sections: { gpus: sleepingGpus(addresses, []) }, errors: [] } };
}

/** A tool's program: as a word of a command, and how a message begins when it cannot start. */
interface Program {
  readonly word: string;
  readonly cannotStart: string;
}

function searchedProgram(name: string): Program {
  return { word: name, cannotStart: `${name} is installed and cannot start` };
}

function givenProgram(path: string, { mode }: ProbeContext): Program {
  return {
    word: mode === "plain" ? plainWord(path) : shellWord(path),
    cannotStart: `${path}, the path that was given, cannot start`,
  };
}

function judgeTool(
  shim: Shim,
  program: Program,
  first: PartOutput,
  outputs: PartOutputs,
  context: ProbeContext,
): Judged {
  const broken = (message: string): Judged => {
    const isTimeout = first.end.kind === "timeout" || first.end.kind === "missing";
    return { kind: "broken", tool: { kind: "broken", shim, message, isTimeout } };
  };
  const cannotStart = whyItCannotStart(program.cannotStart, first);
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
        const tool: UsableTool = { kind: "usable", shim, executable: program.word, sampler: verdict.sampler };
        const reading = firstReading(tool, outputs, context);
        const gpus = reading.sections.gpus ?? [];
        const blind = isNativeShim(shim) && context.include.has("gpu") && gpus.length === 0;
        const poor = verdict.kind === "poor" || blind || isPoor(gpus);
        const { facts } = verdict;
        return {
          ...{ kind: poor ? "poor" : "usable", tool, first: reading },
          ...(facts === undefined ? {} : { facts }),
        };
      }
    }
  } catch (error) {
    if (error instanceof ParseError) return broken(error.message);
    throw error;
  }
}

/** The tool's reading from the probe's own outputs, which hold the parts of a tick. */
export function firstReading(tool: UsableTool, outputs: PartOutputs, { include }: ProbeContext): Reading {
  const asked = sectionsOfTool(tool.shim, [...include]);
  return readSampler(tool.sampler, outputs, asked);
}

/** Which of the asked sections a tool is to report. */
export function sectionsOfTool(shim: Shim, asked: readonly Section[]): readonly Section[] {
  const reported: readonly Section[] = isNativeShim(shim) ? NATIVE_SECTIONS : ["gpu", "process"];
  return asked.filter((section) => reported.includes(section));
}

/** Messages of shells for a binary that the kernel does not run: some try to read it as a script. */
const NOT_FOR_THIS_MACHINE = /: (?:line )?1: [Ss]yntax error|cannot execute binary file|Exec format error/;

/** A program that is there exits with 126 or 127 when its interpreter, its loader or a library is missing, or its mode forbids it. */
function whyItCannotStart(beginning: string, output: PartOutput): string | null {
  if (output.end.kind !== "exit" || output.end.code === 0) return null;
  const { code } = output.end;
  // The probe's own lines in it (`@fields ...`) are not part of the message.
  const message = outputText({ ...output, stdout: output.stdout.replace(/^@\w+ .*$/gm, "").trim() });
  const isAlien = NOT_FOR_THIS_MACHINE.test(message);
  if (code !== 126 && code !== 127 && !isAlien) return null;
  const why = isAlien
    ? "it is no program for this machine"
    : message !== ""
      ? message
      : code === 126
        ? "it is not executable"
        : "it, its interpreter, its loader or a library it needs is missing";
  return `${beginning} (exit code ${code}): ${why}`;
}

/** What the tool answered to its first question; undefined: it was not asked. */
export function firstOutput(shim: Shim, outputs: PartOutputs, context: ProbeContext): PartOutput | undefined {
  const first = shim.probe(context)[0];
  return first === undefined ? undefined : outputs.get(first.id);
}
