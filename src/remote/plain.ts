/** One plain command an exec, for hosts that run no script of ours: forced commands, Windows. */
import type { Part, PartEnd, PartOutput, ProbeContext, Shim } from "../shims/shim.js";
import type { Channel, ChannelEnd, Connection } from "../ssh/connection.js";
import { floodEnd, MOST_ANSWER_BYTES } from "./answer-bounds.js";
import type { FoundTool } from "./frame.js";
import type { LaneTiming } from "./lane.js";
import { isAbsent } from "./probe.js";

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
    const stdout = new Collected(MOST_ANSWER_BYTES + 1);
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

/**
 * The plain form of the bootstrap: asks each shim's tool until one's first part exits 0. `said` is what the host answered
 * to the bootstrap: a host that says the same to everything, and fails, has no tool.
 */
export async function probePlain(
  commands: PlainCommands,
  shims: readonly Shim[],
  context: ProbeContext,
  said: string,
): Promise<{ readonly found: readonly FoundTool[]; readonly outputs: Map<string, PartOutput> }> {
  const found: FoundTool[] = [];
  const outputs = new Map<string, PartOutput>();
  for (const shim of shims) {
    const [first, ...rest] = shim.probe(context);
    if (first?.kind !== "program") continue;
    for (const executable of shim.executables) {
      const answers = await commands.run([first], executable);
      const answer = answers.get(first.id);
      if (answer === undefined || isAbsent(answer) || isRefusal(answer, said)) continue;
      found.push({ shim: shim.id, executable });
      outputs.set(first.id, answer);
      if (answer.end.kind !== "exit" || answer.end.code !== 0) break;
      const others = await commands.run(rest, executable);
      for (const [id, output] of others) outputs.set(id, output);
      return { found, outputs };
    }
  }
  return { found, outputs };
}

function isRefusal(answer: PartOutput, said: string): boolean {
  const failed = answer.end.kind !== "exit" || answer.end.code !== 0;
  return failed && `${answer.stdout}${answer.stderr}`.trim() === said.trim();
}
