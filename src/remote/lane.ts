/** How a tick's question reaches the host and its answer comes back: over one open shell, or by an exec a tick. */
import type { Channel, ChannelEnd, Connection } from "../contract/connection.js";
import type { Clock, Timer } from "../lib/clock.js";
import { FrameReader, type Frame } from "./frame.js";

/** `flooded`: the host sent more than a frame may have, and the channel was given up for it. */
export type LaneEnd = ChannelEnd | { readonly kind: "flooded" };

export type Answer =
  | { readonly kind: "whole"; readonly frame: Frame; readonly latencyMs: number }
  /** Nothing came for longer than any part may take: what had come by then. The remote side still works on it. */
  | { readonly kind: "stuck"; readonly frame: Frame; readonly latencyMs: number }
  /** The channel closed before the frame's end. */
  | {
      readonly kind: "closed";
      readonly frame: Frame;
      readonly latencyMs: number;
      readonly end: LaneEnd;
      readonly preamble: string;
      readonly stderr: string;
    };

export interface LaneTiming {
  readonly clock: Clock;
  readonly toolTimeoutSecs: number;
}

/** Beyond a part's own deadline: `timeout -k 1`, a busy host, the way back. */
const SILENCE_SLACK_MS = 4000;
/** A host that never falls silent and never ends is given up after so many of the longest silences. */
const MAX_SILENCES = 4;
const STDERR_CHARS = 4000;

type Status = "idle" | "asked" | "stuck" | "closed";

interface Question {
  resolve(answer: Answer): void;
  reject(error: Error): void;
}

/** One channel with a shell on it. One question at a time; a stuck one becomes idle again when its frame ends late. */
export class Lane {
  readonly #reader: FrameReader;
  readonly #timing: LaneTiming;
  #channel: Channel | null = null;
  #status: Status = "idle";
  #end: LaneEnd = { kind: "lost" };
  /** Why the channel could not be opened. */
  #refusal: Error | null = null;
  #question: Question | null = null;
  #timer: Timer | null = null;
  #askedAt = 0;
  #lastDataAt = 0;
  #stderr = "";
  /** Goes out with the next question, or when the channel is open. */
  #unsent = "";
  /** The tick functions that its shell knows. */
  #definitions: string | null = null;
  #hasTakenLines = false;
  #isAskedByLine = false;

  private constructor(nonce: string, timing: LaneTiming) {
    this.#reader = new FrameReader(nonce);
    this.#timing = timing;
  }

  /** A channel that is being opened; its first question may be asked at once. */
  static open(connection: Connection, command: string, nonce: string, timing: LaneTiming): Lane {
    const lane = new Lane(nonce, timing);
    void lane.#open(connection, command);
    return lane;
  }

  get status(): Status {
    return this.#status;
  }

  /** The shell ended by itself before it took any line from us: it was not allowed to stay. */
  get exitedBeforeFirstLine(): boolean {
    return this.#status === "closed" && this.#end.kind === "exit" && !this.#hasTakenLines;
  }

  /** Waits for the frame of `tick`, which the channel's command itself answers. Rejects as Connection.open does. */
  awaitFrame(tick: number): Promise<Answer> {
    return this.#expect(tick);
  }

  /** Sends a script whose shell may end with it or stay, and waits for the frame of `tick`. Rejects as Connection.open does. */
  feed(script: string, tick: number): Promise<Answer> {
    const answer = this.#expect(tick);
    this.#unsent += script;
    this.#send();
    return answer;
  }

  /** Text that goes out before the first question. */
  prepare(script: string): void {
    this.#unsent += script;
    this.#send();
  }

  /** Sends a line, after `definitions` that the shell was not told yet, and waits for the frame of `tick`. Rejects as Connection.open does. */
  ask(definitions: string, line: string, tick: number): Promise<Answer> {
    const answer = this.#expect(tick);
    this.#isAskedByLine = true;
    this.#unsent += definitions === this.#definitions ? line : definitions + line;
    this.#definitions = definitions;
    this.#send();
    return answer;
  }

  /** Ends the shell's input and gives the channel up. */
  abandon(): void {
    this.#close({ kind: "lost" });
  }

  async #open(connection: Connection, command: string): Promise<void> {
    try {
      this.#channel = await connection.open(command, {
        stdout: (chunk) => this.#onData(chunk),
        stderr: (chunk) => {
          if (this.#stderr.length < STDERR_CHARS) this.#stderr += chunk.toString("utf8");
        },
        closed: (end) => this.#closed(end),
      });
    } catch (error) {
      if (this.#status === "closed") return;
      this.#refusal = error instanceof Error ? error : new Error(String(error));
      this.#status = "closed";
      this.#take()?.reject(this.#refusal);
      return;
    }
    if (this.#status === "closed") this.#close(this.#end);
    else this.#send();
  }

  #send(): void {
    if (this.#channel === null || this.#unsent === "") return;
    this.#channel.write(this.#unsent);
    this.#unsent = "";
  }

  #close(end: LaneEnd): void {
    this.#channel?.end();
    this.#channel?.abandon();
    this.#closed(end);
  }

  #expect(tick: number): Promise<Answer> {
    const now = this.#timing.clock.nowMs();
    this.#askedAt = now;
    this.#lastDataAt = now;
    this.#stderr = "";
    this.#reader.begin(tick);
    return new Promise((resolve, reject) => {
      if (this.#refusal !== null) {
        reject(this.#refusal);
        return;
      }
      this.#question = { resolve, reject };
      if (this.#status === "closed") {
        this.#answerClosed("");
        return;
      }
      this.#status = "asked";
      this.#watchSilence();
    });
  }

  /** One timer a question: when it fires and something was heard meanwhile, it is set again for the rest. */
  #watchSilence(): void {
    const { clock, toolTimeoutSecs } = this.#timing;
    const longest = toolTimeoutSecs * 1000 + SILENCE_SLACK_MS;
    const until = Math.min(this.#lastDataAt + longest, this.#askedAt + MAX_SILENCES * longest);
    this.#timer = clock.after(until - clock.nowMs(), () => {
      if (clock.nowMs() < Math.min(this.#lastDataAt + longest, this.#askedAt + MAX_SILENCES * longest)) {
        this.#watchSilence();
        return;
      }
      this.#status = "stuck";
      try {
        const taken = this.#taken();
        this.#take()?.resolve({ kind: "stuck", ...taken });
      } catch (error) {
        // Thrown out of a timer it would end the process.
        this.#take()?.reject(error instanceof Error ? error : new Error("no frame", { cause: error }));
      }
    });
  }

  #onData(chunk: Buffer): void {
    this.#lastDataAt = this.#timing.clock.nowMs();
    if (this.#status !== "asked" && this.#status !== "stuck") return;
    let ended: boolean;
    try {
      ended = this.#reader.push(chunk, this.#lastDataAt);
    } catch {
      this.#close({ kind: "flooded" });
      return;
    }
    if (!ended) return;
    this.#status = "idle";
    // A late one answers nobody: its question was given up.
    const question = this.#take();
    if (question !== null) {
      this.#hasTakenLines ||= this.#isAskedByLine;
      const { frame, latencyMs } = this.#taken();
      question.resolve({ kind: "whole", frame, latencyMs });
    }
    this.#reader.forget();
  }

  #closed(end: LaneEnd): void {
    if (this.#status === "closed") return;
    this.#status = "closed";
    this.#end = end;
    if (this.#question === null) this.#reader.forget();
    else this.#answerClosed(this.#reader.preamble());
  }

  #answerClosed(preamble: string): void {
    const taken = this.#taken();
    const rest = { end: this.#end, preamble, stderr: this.#stderr };
    this.#take()?.resolve({ kind: "closed", ...taken, ...rest });
  }

  #taken(): { readonly frame: Frame; readonly latencyMs: number } {
    return {
      frame: this.#reader.frame(this.#timing.toolTimeoutSecs),
      latencyMs: this.#timing.clock.nowMs() - this.#askedAt,
    };
  }

  /** The question under way, which is over. */
  #take(): Question | null {
    this.#timer?.cancel();
    this.#timer = null;
    const question = this.#question;
    this.#question = null;
    return question;
  }
}
