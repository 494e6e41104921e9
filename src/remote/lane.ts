/** One channel with a shell on it: sends a tick's question and waits for its frame. */
import type { Channel, ChannelEnd, Connection } from "../contract/connection.js";
import type { AnswerEnd } from "./ended.js";
import { FrameReader, type Frame } from "./frame.js";
import { SilenceWatch, type LaneTiming } from "./silence-watch.js";

export interface Answer {
  /** What had come by then. */
  readonly frame: Frame;
  /** Question sent to last byte. */
  readonly latencyMs: number;
  readonly end: AnswerEnd;
  /** Of a channel that closed: its output before the first marker, and its stderr. */
  readonly otherOutput: string;
}

const MAX_STDERR_CHARS = 4000;

interface Question {
  readonly askedAt: number;
  /** Asked by a line to a shell that stays, not by the channel's own command. */
  readonly isLine: boolean;
  silence: SilenceWatch | null;
  resolve(answer: Answer): void;
  reject(error: Error): void;
}

type State =
  | { readonly kind: "idle" }
  | { readonly kind: "asked"; readonly question: Question }
  /** Its question was given up; its frame may still end. */
  | { readonly kind: "hung" }
  | { readonly kind: "closed"; readonly end: ClosedEnd }
  /** The channel could not be opened. */
  | { readonly kind: "refused"; readonly error: Error };

type ClosedEnd = ChannelEnd | { readonly kind: "flooded" };

const IDLE: State = { kind: "idle" };
const HUNG: State = { kind: "hung" };

/** One question at a time. A lane that hangs becomes idle again when its frame ends late. */
export class Lane {
  readonly #reader: FrameReader;
  readonly #timing: LaneTiming;
  readonly #connection: Connection;
  #state: State = IDLE;
  #channel: Channel | null = null;
  /** Goes out when the channel is open. */
  #unsent = "";
  #stderr = "";
  /** What the tick functions that its shell knows were made for. */
  #defined: object | null = null;
  #hasTakenLines = false;

  private constructor(connection: Connection, nonce: string, timing: LaneTiming) {
    this.#connection = connection;
    this.#reader = new FrameReader(nonce);
    this.#timing = timing;
  }

  /** A channel that is being opened; its first question may be asked at once. */
  static open(connection: Connection, command: string, nonce: string, timing: LaneTiming): Lane {
    const lane = new Lane(connection, nonce, timing);
    void lane.#open(command);
    return lane;
  }

  get isHung(): boolean {
    return this.#state.kind === "hung";
  }

  get isIdle(): boolean {
    return this.#state.kind === "idle";
  }

  get isClosed(): boolean {
    return this.#state.kind === "closed" || this.#state.kind === "refused";
  }

  /** The shell exited before it took any line from us: it was not allowed to stay. */
  get exitedBeforeFirstLine(): boolean {
    return this.#state.kind === "closed" && this.#state.end.kind === "exit" && !this.#hasTakenLines;
  }

  /** Waits for the frame of `tick`, which the channel's command itself sends. Rejects as Connection.open does. */
  awaitFrame(tick: number): Promise<Answer> {
    return this.#expect(tick, false);
  }

  /** Sends a script whose shell may exit after it or stay, and waits for the frame of `tick`. Rejects as Connection.open does. */
  feed(script: string, tick: number): Promise<Answer> {
    const answer = this.#expect(tick, false);
    this.#send(script);
    return answer;
  }

  /** Text that goes out before the first question. */
  prepare(script: string): void {
    this.#send(script);
  }

  /**
   * Sends a line, after the text of `define` if the shell does not have what is defined for `plan`, and waits for the frame
   * of `tick`. Rejects as Connection.open does. The text, several KiB, is not kept.
   */
  ask(plan: object, define: () => string, line: string, tick: number): Promise<Answer> {
    const answer = this.#expect(tick, true);
    this.#send(plan === this.#defined ? line : define() + line);
    this.#defined = plan;
    return answer;
  }

  /** Ends the shell's input and abandons the channel. */
  abandon(): void {
    this.#close({ kind: "lost" });
  }

  async #open(command: string): Promise<void> {
    try {
      this.#channel = await this.#connection.open(command, {
        stdout: (chunk) => this.#onData(chunk),
        stderr: (chunk) => {
          if (this.#stderr.length < MAX_STDERR_CHARS) this.#stderr += chunk.toString("utf8");
        },
        closed: (end) => this.#onClosed(end),
      });
    } catch (cause) {
      if (this.isClosed) return;
      const error = cause instanceof Error ? cause : new Error(String(cause));
      const question = this.#leave({ kind: "refused", error });
      question?.reject(error);
      return;
    }
    if (this.#state.kind === "closed") this.#close(this.#state.end);
    else this.#send("");
  }

  #send(text: string): void {
    this.#unsent += text;
    if (this.#channel === null || this.#unsent === "") return;
    this.#channel.write(this.#unsent);
    this.#unsent = "";
  }

  #expect(tick: number, isLine: boolean): Promise<Answer> {
    const now = this.#timing.clock.nowMs();
    this.#stderr = "";
    this.#reader.begin(tick);
    return new Promise((resolve, reject) => {
      const question: Question = { askedAt: now, isLine, silence: null, resolve, reject };
      const state = this.#state;
      if (state.kind === "refused") reject(state.error);
      else if (state.kind === "closed") resolve(this.#answer(question, state.end));
      else {
        this.#state = { kind: "asked", question };
        question.silence = new SilenceWatch(this.#timing, this.#connection, () => this.#giveUp(question));
      }
    });
  }

  #giveUp(question: Question): void {
    this.#leave(HUNG);
    try {
      question.resolve(this.#answer(question, HUNG_END));
    } catch (error) {
      // Thrown out of a timer it would end the process.
      question.reject(error instanceof Error ? error : new Error("no frame", { cause: error }));
    }
  }

  #onData(chunk: Buffer): void {
    const state = this.#state;
    if (state.kind !== "asked" && state.kind !== "hung") return;
    const now = this.#timing.clock.nowMs();
    if (state.kind === "asked") state.question.silence?.dataAt(now);
    let hasEnded: boolean;
    try {
      hasEnded = this.#reader.push(chunk, now);
    } catch {
      this.#close({ kind: "flooded" });
      return;
    }
    if (!hasEnded) return;
    const question = this.#leave(IDLE);
    // A late frame has no question any more.
    if (question !== null) {
      this.#hasTakenLines ||= question.isLine;
      question.resolve(this.#answer(question, WHOLE_END));
    }
    this.#reader.forget();
  }

  #close(end: ClosedEnd): void {
    this.#channel?.end();
    this.#channel?.abandon();
    this.#onClosed(end);
  }

  #onClosed(end: ClosedEnd): void {
    if (this.isClosed) return;
    const question = this.#leave({ kind: "closed", end });
    question?.resolve(this.#answer(question, end));
    this.#reader.forget();
  }

  #answer({ askedAt }: Question, end: AnswerEnd): Answer {
    const hasClosed = end.kind !== "whole" && end.kind !== "hung";
    return {
      frame: this.#reader.frame(this.#timing.toolTimeoutSecs),
      latencyMs: this.#timing.clock.nowMs() - askedAt,
      end,
      otherOutput: hasClosed ? `${this.#reader.preamble()}\n${this.#stderr}` : "",
    };
  }

  /** Enters another state; the question of the one before, whose timer is stopped. */
  #leave(next: State): Question | null {
    const question = this.#state.kind === "asked" ? this.#state.question : null;
    question?.silence?.end();
    this.#state = next;
    return question;
  }
}

const WHOLE_END: AnswerEnd = { kind: "whole" };
const HUNG_END: AnswerEnd = { kind: "hung" };
