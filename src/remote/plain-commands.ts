/** One plain command an exec, for hosts that run no script of ours: forced commands, Windows. */
import type { Channel, Connection } from "../contract/connection.js";
import type { Part, PartEnd, PartOutput } from "../shims/kit/shim.js";
import { floodEnd, MAX_ANSWER_BYTES } from "./answer-bounds.js";
import { endOfChannel } from "./ended.js";
import type { LaneTiming } from "./silence-watch.js";
import { withTool } from "./tool-word.js";
import { deadlineAfter } from "../lib/deadline.js";

const MAX_STDERR_BYTES = 4000;
/** Beyond a command's deadline. The connection shows within it that it is alive, or is lost. */
const SLACK_MS = 2000;
const CONFIRM_MS = 1800;

/** The commands of one host. A command that still runs is not started again: nothing there would end it. */
export class PlainCommands {
  readonly #connection: Connection;
  readonly #timing: LaneTiming;
  readonly #running = new Set<string>();

  constructor(connection: Connection, timing: LaneTiming) {
    this.#connection = connection;
    this.#timing = timing;
  }

  /** Runs program parts one after another; shell parts cannot run here and are left out. Rejects as Connection.open does. */
  async run(parts: readonly Part[], executable: string): Promise<Map<string, PartOutput>> {
    const outputs = new Map<string, PartOutput>();
    for (const part of parts) {
      if (part.kind !== "program") continue;
      outputs.set(part.id, await this.#runOne(withTool(part.command, executable)));
    }
    return outputs;
  }

  #runOne(command: string): Promise<PartOutput> {
    const { clock, toolTimeoutSecs } = this.#timing;
    const late: PartEnd = { kind: "timeout", afterSecs: toolTimeoutSecs };
    if (this.#running.has(command)) return Promise.resolve({ stdout: "", stderr: "", end: late });
    this.#running.add(command);
    const stdout = new OutputStart(MAX_ANSWER_BYTES + 1);
    const stderr = new OutputStart(MAX_STDERR_BYTES);
    return new Promise((resolve, reject) => {
      const settle = (end: PartEnd): void => {
        timer.cancel();
        const answer = stdout.take();
        const flood = end.kind === "missing" ? null : floodEnd(answer, 0, answer.length);
        const text = flood === null ? answer.toString("utf8") : "";
        resolve({ stdout: text, stderr: stderr.take().toString("utf8"), end: flood ?? end });
      };
      let timer = deadlineAfter(clock, toolTimeoutSecs * 1000, () => {
        timer = deadlineAfter(clock, SLACK_MS, () => settle(late));
        this.#connection.confirm?.(CONFIRM_MS);
      });
      const stopped = (): void => {
        this.#running.delete(command);
        timer.cancel();
      };
      let channel: Channel | null = null;
      this.#connection
        .open(command, {
          stdout: (chunk) => {
            stdout.add(chunk);
            if (!stdout.isFull) return;
            // A program that floods ends when its output is closed. `settle` records the flood instead of its end.
            channel?.abandon();
            stopped();
            settle(late);
          },
          stderr: (chunk) => stderr.add(chunk),
          closed: (end) => {
            stopped();
            settle(endOfChannel(end));
          },
        })
        .then(
          (opened) => {
            channel = opened;
            opened.end();
            if (stdout.isFull) opened.abandon();
          },
          (error: unknown) => {
            stopped();
            reject(error instanceof Error ? error : new Error(String(error)));
          },
        );
    });
  }
}

/** The first bytes of an output; nothing more is kept once they were taken. */
class OutputStart {
  #chunks: Buffer[] = [];
  #isTaken = false;
  #bytesLeft: number;

  constructor(maxBytes: number) {
    this.#bytesLeft = maxBytes;
  }

  get isFull(): boolean {
    return this.#bytesLeft <= 0;
  }

  add(chunk: Buffer): void {
    if (this.isFull || this.#isTaken) return;
    this.#chunks.push(Buffer.from(chunk.subarray(0, this.#bytesLeft)));
    this.#bytesLeft -= chunk.length;
  }

  take(): Buffer {
    const taken = Buffer.concat(this.#chunks);
    this.#chunks = [];
    this.#isTaken = true;
    return taken;
  }
}
