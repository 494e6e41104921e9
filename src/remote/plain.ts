/** One plain command an exec, for hosts that run no script of ours: forced commands, Windows. */
import type { Channel, ChannelEnd, Connection } from "../contract/connection.js";
import { MAX_SCANNED } from "../lib/text.js";
import type { Part, PartEnd, PartOutput, ProbeContext, Shim } from "../shims/kit/shim.js";
import type { HostSystem } from "../system/host-system.js";
import { floodEnd, MAX_ANSWER_BYTES } from "./answer-bounds.js";
import type { LaneTiming } from "./lane.js";
import { isNativeShim, isWanted, judgeFound, type Judged } from "./probe.js";

const STDERR_BYTES = 4000;

/** The commands of one host. One that is still under way is not given again: nothing there would end it. */
export class PlainCommands {
  readonly #connection: Connection;
  readonly #timing: LaneTiming;
  readonly #running = new Set<string>();

  constructor(connection: Connection, timing: LaneTiming) {
    this.#connection = connection;
    this.#timing = timing;
  }

  /** Runs program parts one after another; shell parts cannot be asked here and are left out. Rejects as Connection.open does. */
  async run(parts: readonly Part[], executable: string): Promise<Map<string, PartOutput>> {
    const outputs = new Map<string, PartOutput>();
    for (const part of parts) {
      if (part.kind !== "program") continue;
      outputs.set(part.id, await this.#runOne(part.command.replaceAll("{tool}", executable)));
    }
    return outputs;
  }

  #runOne(command: string): Promise<PartOutput> {
    const { clock, toolTimeoutSecs } = this.#timing;
    const late: PartEnd = { kind: "timeout", afterSecs: toolTimeoutSecs };
    if (this.#running.has(command)) return Promise.resolve({ stdout: "", stderr: "", end: late });
    this.#running.add(command);
    const stdout = new Collected(MAX_ANSWER_BYTES + 1);
    const stderr = new Collected(STDERR_BYTES);
    return new Promise((resolve, reject) => {
      const settle = (end: PartEnd): void => {
        timer.cancel();
        const answer = stdout.take();
        const flood = end.kind === "missing" ? null : floodEnd(answer, 0, answer.length);
        const text = flood === null ? answer.toString("utf8") : "";
        resolve({ stdout: text, stderr: stderr.take().toString("utf8"), end: flood ?? end });
      };
      const timer = clock.after(toolTimeoutSecs * 1000 + 2000, () => settle(late));
      const over = (): void => {
        this.#running.delete(command);
        timer.cancel();
      };
      let channel: Channel | null = null;
      this.#connection
        .open(command, {
          stdout: (chunk) => {
            stdout.add(chunk);
            if (!stdout.isFull) return;
            // The end of its output ends a program that floods. What it said is told in the place of how it ended.
            channel?.abandon();
            over();
            settle(late);
          },
          stderr: (chunk) => stderr.add(chunk),
          closed: (end) => {
            over();
            settle(partEndOf(end));
          },
        })
        .then(
          (opened) => {
            channel = opened;
            opened.end();
            if (stdout.isFull) opened.abandon();
          },
          (error: unknown) => {
            over();
            reject(error instanceof Error ? error : new Error(String(error)));
          },
        );
    });
  }
}

/** The beginning of an output; nothing once it was taken. */
class Collected {
  #chunks: Buffer[] = [];
  #isTaken = false;
  #room: number;

  constructor(most: number) {
    this.#room = most;
  }

  get isFull(): boolean {
    return this.#room <= 0;
  }

  add(chunk: Buffer): void {
    if (this.isFull || this.#isTaken) return;
    this.#chunks.push(Buffer.from(chunk.subarray(0, this.#room)));
    this.#room -= chunk.length;
  }

  take(): Buffer {
    const taken = Buffer.concat(this.#chunks);
    this.#chunks = [];
    this.#isTaken = true;
    return taken;
  }
}

function partEndOf(end: ChannelEnd): PartEnd {
  switch (end.kind) {
    case "exit":
      return { kind: "exit", code: end.code };
    case "signal":
      return { kind: "signal", signal: end.signal };
    case "lost":
      return { kind: "missing" };
  }
}

/** cmd.exe fills in the first, PowerShell the second; no shell translates it. */
const WHICH_SYSTEM: Part = { id: "host.which", kind: "program", command: "echo %OS% $env:OS" };

export interface PlainProbe {
  readonly system: HostSystem | null;
  readonly judged: readonly Judged[];
  readonly outputs: Map<string, PartOutput>;
}

/**
 * The plain form of the bootstrap: asks for the system and then each vendor's tools until one works. `said` is what the
 * host answered to the bootstrap: a host that says the same to everything, and fails, has no tool. What an absent tool
 * looks like differs by host and language, so beside a tool that works none counts as broken.
 */
export async function probePlain(
  commands: PlainCommands,
  systems: readonly HostSystem[],
  shims: readonly Shim[],
  context: ProbeContext,
  said: string,
): Promise<PlainProbe> {
  const outputs = new Map<string, PartOutput>();
  const system = await findSystem(commands, systems, context, outputs);
  const judged: Judged[] = [];
  for (const shim of shims) {
    // Each question is a process of PowerShell's, and vendors are not mixed there.
    if (system !== null && judged.some(isWorkingVendor)) break;
    if (isWanted(shim, judged)) judged.push(...(await probeTool(commands, shim, context, said, outputs)));
  }
  const works = judged.filter(({ kind }) => kind === "usable" || kind === "poor");
  return { system, judged: works.length > 0 ? works : judged, outputs };
}

function isWorkingVendor(judged: Judged): boolean {
  return judged.kind === "usable" && !isNativeShim(judged.tool.shim);
}

/** By what it calls itself, or else by whose question it answers: the words of its messages are in any language. */
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
  context: ProbeContext,
  said: string,
  outputs: Map<string, PartOutput>,
): Promise<readonly Judged[]> {
  const [first, ...rest] = shim.probe(context);
  if (first?.kind !== "program") return [];
  for (const executable of shim.executables) {
    const answer = (await commands.run([first], executable)).get(first.id);
    if (answer === undefined || isAbsent(answer) || isRefusal(answer, executable, said)) continue;
    outputs.set(first.id, answer);
    if (answer.end.kind === "exit" && answer.end.code === 0)
      for (const [id, output] of await commands.run(rest, executable)) outputs.set(id, output);
    const judged = judgeFound([shim], [{ shim: shim.id, executable }], outputs, context);
    return judged.filter(({ kind }) => kind !== "broken" || !isSame(answer, executable, said));
  }
  return [];
}

const NOT_THERE = /isnotrecognized|CommandNotFoundException|:commandnotfound/i;
/** Of a program that is there: what shells and loaders say of its interpreter or its libraries. */
const CANNOT_START = /bad interpreter|shared librar|\benv: |Exec format|cannot execute/i;

/**
 * What shells say of a program that they do not have (POSIX: 127; cmd.exe, PowerShell and csh: 1 and a sentence, which
 * PowerShell breaks anywhere). Tools that fail have sentences of their own: `amdgpu not found in modules`.
 */
function isAbsent({ end, stderr }: PartOutput): boolean {
  if (end.kind !== "exit") return false;
  if (end.code === 127) return !CANNOT_START.test(stderr);
  return (end.code === 1 || end.code === 9009) && NOT_THERE.test(stderr.replace(/\s+/g, ""));
}

function isRefusal(answer: PartOutput, executable: string, said: string): boolean {
  const failed = answer.end.kind !== "exit" || answer.end.code !== 0;
  return failed && isSame(answer, executable, said);
}

/** The same as to the bootstrap, whose first word is `exec`: a sentence about a command that is not there has its name. */
function isSame(answer: PartOutput, executable: string, said: string): boolean {
  return unnamed(`${answer.stdout}${answer.stderr}`, executable) === unnamed(said, "exec");
}

function unnamed(text: string, name: string): string {
  return text.slice(0, MAX_SCANNED).replaceAll(name, "").replace(/\s+/g, "");
}
