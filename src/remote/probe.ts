/** Finds out what a host can tell: judges what the bootstrap's tools answered, in the order in which they are tried. */
import { HostError, ParseError } from "../errors.js";
import { oneLine } from "../lib/text.js";
import type { PartOutput, PartOutputs, ProbeContext, Sampler, Shim, Verdict } from "../shims/shim.js";
import type { FoundTool } from "./frame.js";
import type { Candidate } from "./script.js";

/** The vendor tool that a host is read with. */
export type ChosenTool =
  | { readonly kind: "usable"; readonly shim: Shim; readonly executable: string; readonly sampler: Sampler }
  /** It is there and fails: the host's own sections are read, and the record says what the tool said. */
  | { readonly kind: "broken"; readonly shim: Shim; readonly message: string; readonly isTimeout: boolean }
  /** No accelerator was asked for: the host's own sections alone. */
  | { readonly kind: "none" };

/** What a round of probing settled. `others`: shims that the shell has not tried yet, since it stopped before them. */
export interface Judgement {
  readonly usable: (ChosenTool & { readonly kind: "usable" }) | null;
  readonly fallbacks: readonly Fallback[];
  readonly others: readonly Shim[];
}

/** What remains when no tool is usable, best first by `kind`: poor, then broken, then too-old. */
export type Fallback =
  | { readonly kind: "poor"; readonly tool: ChosenTool & { readonly kind: "usable" } }
  | { readonly kind: "broken"; readonly tool: ChosenTool & { readonly kind: "broken" } }
  | { readonly kind: "too-old"; readonly message: string };

/** The bootstrap's view of the shims. */
export function candidatesOf(shims: readonly Shim[], context: ProbeContext): readonly Candidate[] {
  return shims.map((shim) => ({ shim: shim.id, executables: shim.executables, probe: shim.probe(context) }));
}

/** Judges every tool that was found, in order, until one is usable. */
export function judgeFound(
  shims: readonly Shim[],
  found: readonly FoundTool[],
  outputs: PartOutputs,
  context: ProbeContext,
): Judgement {
  const fallbacks: Fallback[] = [];
  for (const { shim: id, executable } of found) {
    const shim = shims.find((each) => each.id === id);
    if (shim === undefined || !shim.executables.includes(executable)) continue;
    const first = firstOutput(shim, outputs, context);
    if (first === undefined || isAbsent(first)) continue;
    const verdict = judge(shim, outputs, context);
    switch (verdict.kind) {
      case "usable":
        return {
          usable: { kind: "usable", shim, executable, sampler: verdict.sampler },
          fallbacks,
          others: [],
        };
      case "poor":
        fallbacks.push({
          kind: "poor",
          tool: { kind: "usable", shim, executable, sampler: verdict.sampler },
        });
        break;
      case "broken": {
        const isTimeout = first.end.kind === "timeout" || first.end.kind === "missing";
        fallbacks.push({
          kind: "broken",
          tool: { kind: "broken", shim, message: verdict.message, isTimeout },
        });
        break;
      }
      case "too-old":
        fallbacks.push({ kind: "too-old", message: verdict.message });
        break;
    }
  }
  return { usable: null, fallbacks, others: untried(shims, found, outputs, context) };
}

/** The shell stops at the first tool whose first part exits 0; when that tool was refused here, the rest is to be tried. */
function untried(
  shims: readonly Shim[],
  found: readonly FoundTool[],
  outputs: PartOutputs,
  context: ProbeContext,
): readonly Shim[] {
  const stoppedAt = found.findLast(({ shim: id }) => {
    const shim = shims.find((each) => each.id === id);
    const end = shim === undefined ? undefined : firstOutput(shim, outputs, context)?.end;
    return end?.kind === "exit" && end.code === 0;
  });
  if (stoppedAt === undefined) return [];
  return shims.slice(shims.findIndex((each) => each.id === stoppedAt.shim) + 1);
}

function firstOutput(shim: Shim, outputs: PartOutputs, context: ProbeContext): PartOutput | undefined {
  const first = shim.probe(context)[0];
  return first === undefined ? undefined : outputs.get(first.id);
}

function judge(shim: Shim, outputs: PartOutputs, context: ProbeContext): Verdict {
  try {
    return shim.judge(outputs, context);
  } catch (error) {
    if (error instanceof ParseError) return { kind: "broken", message: error.message };
    throw error;
  }
}

const NOT_THERE = /is not recognized|CommandNotFoundException|: command not found\b/i;

/**
 * What shells say of a program that they do not have (POSIX: 127; cmd.exe, PowerShell and csh: 1 and a sentence).
 * Tools that fail have sentences of their own: `amdgpu not found in modules`.
 */
export function isAbsent(output: PartOutput): boolean {
  if (output.end.kind !== "exit" || output.end.code === 0) return false;
  if (output.end.code === 127) return true;
  return (output.end.code === 1 || output.end.code === 9009) && NOT_THERE.test(output.stderr);
}

/**
 * The best of what is left when no tool was usable. Throws HostError `no-tool` or `version-too-old`; `said` is what the
 * host answered instead of our markers, if anything.
 */
export function bestFallback(
  fallbacks: readonly Fallback[],
  tried: readonly Shim[],
  said: string,
): ChosenTool & { readonly kind: "usable" | "broken" } {
  const poor = fallbacks.find((each) => each.kind === "poor");
  if (poor !== undefined) return poor.tool;
  const broken = fallbacks.find((each) => each.kind === "broken");
  if (broken !== undefined) return broken.tool;
  const old = fallbacks.find((each) => each.kind === "too-old");
  if (old !== undefined) {
    throw new HostError("version-too-old", "probe", old.message, {
      fix: "upgrade all-smi on the host to 0.22 or later, or allow vendor tools with --ssh-fallback",
    });
  }
  const words = oneLine(said);
  const asked = tried.map((shim) => shim.executables.join("/")).join(", ");
  throw new HostError(
    "no-tool",
    "probe",
    `found none of: ${asked}${words === "" ? "" : `; the host said: ${words}`}`,
    { fix: "install the vendor's tool or all-smi on the host, or see its PATH for non-interactive shells" },
  );
}
