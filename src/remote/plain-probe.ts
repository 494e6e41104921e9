/** The probe of a host that runs no script of ours: which system and tools it has, by plain commands. */
import type { ToolPaths } from "../contract/tool-path.js";
import { MAX_SCANNED } from "../lib/text.js";
import type { Part, PartOutput, ProbeContext, Shim } from "../shims/kit/shim.js";
import type { HostSystem } from "../system/host-system.js";
import { chooseSources } from "./choose.js";
import {
  hasNative,
  missingParts,
  type Discovery,
  type Found,
  type SessionOptions,
  type Ways,
} from "./found.js";
import { UNKNOWN_BUS } from "./pci-bus.js";
import type { PlainCommands } from "./plain-commands.js";
import { isNativeShim, judgeFound, type Judged } from "./probe.js";
import { isWanted } from "./tools-to-try.js";
import { GIVEN, plainWord } from "./tool-word.js";

/** `bootstrapOutput`: what the host answered to the bootstrap script. Throws as `discover` does. */
export async function discoverPlain(
  { lanes, commands }: Ways,
  { sample, plainSystems, clock }: SessionOptions,
  shims: readonly Shim[],
  bootstrapOutput: string,
): Promise<Discovery> {
  const context: ProbeContext = { include: sample.include, mode: "plain" };
  const startedAt = clock.nowMs();
  lanes.plain();
  const asked = { context, toolPaths: sample.toolPaths };
  const probe = await probeByCommands(commands, plainSystems, shims, asked, bootstrapOutput);
  const { system, judged, outputs } = probe;
  // Without an accelerator asked for, the host's own sections are enough.
  const isBare = shims.length === 0 && system !== null;
  const sources = isBare ? [] : chooseSources(judged, shims, UNKNOWN_BUS, bootstrapOutput);
  const own = hasNative(sources) ? null : system;
  const found: Found = {
    sources,
    hasNoAccelerator: false,
    system: own?.sampler(outputs, sample.include) ?? null,
    systemId: system?.id ?? null,
    unread: "the account runs only single commands, and no shell that could read it",
    limiter: "watchdog",
  };
  for (const [tool, { parts }] of missingParts(sources, outputs, new Set()))
    for (const [id, output] of await commands.run(parts, tool.executable)) outputs.set(id, output);
  return { found, outputs, firsts: new Map(), latencyMs: clock.nowMs() - startedAt, hung: [] };
}

/** cmd.exe expands the first, PowerShell the second; the value is the same in every language. */
const WHICH_SYSTEM: Part = { id: "host.which", kind: "program", command: "echo %OS% $env:OS" };

interface PlainAsked {
  readonly context: ProbeContext;
  readonly toolPaths: ToolPaths | undefined;
}

interface PlainProbe {
  readonly system: HostSystem | null;
  readonly judged: readonly Judged[];
  readonly outputs: Map<string, PartOutput>;
}

/**
 * Asks for the system and then each vendor's tools until one works. A host that gives the same answer to everything, and
 * fails, has no tool. What an absent tool looks like differs by host and language, so where one tool works, no other
 * counts as broken.
 */
async function probeByCommands(
  commands: PlainCommands,
  systems: readonly HostSystem[],
  shims: readonly Shim[],
  asked: PlainAsked,
  bootstrapOutput: string,
): Promise<PlainProbe> {
  const outputs = new Map<string, PartOutput>();
  const system = await findSystem(commands, systems, asked.context, outputs);
  const judged: Judged[] = [];
  for (const shim of shims) {
    // On Windows each question starts a PowerShell process, and hosts there do not mix vendors.
    if (system !== null && judged.some(isWorkingVendor)) break;
    if (isWanted(shim, judged))
      judged.push(...(await probeTool(commands, shim, asked, bootstrapOutput, outputs)));
  }
  const works = judged.filter(({ kind }) => kind === "usable" || kind === "poor");
  return { system, judged: works.length > 0 ? works : judged, outputs };
}

function isWorkingVendor(judged: Judged): boolean {
  return judged.kind === "usable" && !isNativeShim(judged.tool.shim);
}

/** By the name that the host prints, or else by whose commands it answers: its messages may be in any language. */
async function findSystem(
  commands: PlainCommands,
  systems: readonly HostSystem[],
  { include }: ProbeContext,
  outputs: Map<string, PartOutput>,
): Promise<HostSystem | null> {
  if (systems.length === 0) return null;
  const which = (await commands.run([WHICH_SYSTEM], "")).get(WHICH_SYSTEM.id)?.stdout ?? "";
  const named = systems.find(({ uname }) => which.includes(uname));
  for (const system of named === undefined ? systems : [named]) {
    const answers = await commands.run(system.probe(include), "");
    const { sections } = system.sampler(answers, include).parse(answers);
    if (named === undefined && Object.keys(sections).length === 0) continue;
    for (const [id, output] of answers) outputs.set(id, output);
    return system;
  }
  return null;
}

async function probeTool(
  commands: PlainCommands,
  shim: Shim,
  { context, toolPaths }: PlainAsked,
  bootstrapOutput: string,
  outputs: Map<string, PartOutput>,
): Promise<readonly Judged[]> {
  const [first, ...rest] = shim.probe(context);
  if (first?.kind !== "program") return [];
  const path = toolPaths?.[shim.id];
  const words = path === undefined ? shim.executables : [plainWord(path)];
  for (const executable of words) {
    const answer = (await commands.run([first], executable)).get(first.id);
    // A path that the operator gave is there, or its failure is reported.
    const isGone = answer === undefined || (path === undefined && isAbsent(answer));
    if (isGone || isRefusal(answer, executable, bootstrapOutput)) continue;
    outputs.set(first.id, answer);
    if (answer.end.kind === "exit" && answer.end.code === 0)
      for (const [id, output] of await commands.run(rest, executable)) outputs.set(id, output);
    const found = [{ shim: shim.id, executable: path === undefined ? executable : GIVEN }];
    const judged = judgeFound([shim], found, outputs, context, toolPaths);
    return judged.filter(({ kind }) => kind !== "broken" || !isSame(answer, executable, bootstrapOutput));
  }
  return [];
}

const NOT_THERE = /isnotrecognized|CommandNotFoundException|:commandnotfound/i;
/** Messages of shells and loaders for a program that is there but lacks its interpreter or a library. */
const CANNOT_START = /bad interpreter|shared librar|\benv: |Exec format|cannot execute/i;

/**
 * How shells report a program that they do not have (POSIX: 127; cmd.exe, PowerShell and csh: 1 and a message, which
 * PowerShell wraps anywhere). A tool that fails may have a similar message: `amdgpu not found in modules`.
 */
function isAbsent({ end, stderr }: PartOutput): boolean {
  if (end.kind !== "exit") return false;
  if (end.code === 127) return !CANNOT_START.test(stderr);
  return (end.code === 1 || end.code === 9009) && NOT_THERE.test(stderr.replace(/\s+/g, ""));
}

function isRefusal(answer: PartOutput, executable: string, bootstrapOutput: string): boolean {
  const failed = answer.end.kind !== "exit" || answer.end.code !== 0;
  return failed && isSame(answer, executable, bootstrapOutput);
}

/** The same answer as to the bootstrap, whose first word is `exec`: a message about a missing command holds its name. */
function isSame(answer: PartOutput, executable: string, bootstrapOutput: string): boolean {
  return unnamed(`${answer.stdout}${answer.stderr}`, executable) === unnamed(bootstrapOutput, "exec");
}

function unnamed(text: string, name: string): string {
  return text.slice(0, MAX_SCANNED).replaceAll(name, "").replace(/\s+/g, "");
}
