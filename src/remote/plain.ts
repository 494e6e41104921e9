/** One plain command an exec, for hosts that run no script of ours: forced commands, Windows. */
import type { Part, PartEnd, PartOutput, ProbeContext, Shim } from "../shims/shim.js";
import type { ChannelEnd, Connection } from "../ssh/connection.js";
import type { FoundTool } from "./frame.js";
import type { LaneTiming } from "./lane.js";
import { isAbsent } from "./probe.js";

const LARGEST_OUTPUT_BYTES = 8 * 1024 * 1024;
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
    const stdout = new Collected(LARGEST_OUTPUT_BYTES);
    const stderr = new Collected(STDERR_BYTES);
    return new Promise((resolve, reject) => {
      const settle = (end: PartEnd): void => {
        timer.cancel();
        resolve({ stdout: stdout.take(), stderr: stderr.take(), end });
      };
      const timer = clock.after(toolTimeoutSecs * 1000 + 2000, () => settle(late));
      const over = (): void => {
        this.#running.delete(command);
        timer.cancel();
      };
      this.#connection
        .open(command, {
          stdout: (chunk) => stdout.add(chunk),
          stderr: (chunk) => stderr.add(chunk),
          closed: (end) => {
            over();
            settle(partEndOf(end));
          },
        })
        .then(
          (channel) => channel.end(),
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
  #room: number;

  constructor(most: number) {
    this.#room = most;
  }

  add(chunk: Buffer): void {
    if (this.#room <= 0) return;
    this.#chunks.push(Buffer.from(chunk.subarray(0, this.#room)));
    this.#room -= chunk.length;
  }

  take(): string {
    const text = Buffer.concat(this.#chunks).toString("utf8");
    this.#chunks = [];
    this.#room = 0;
    return text;
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
