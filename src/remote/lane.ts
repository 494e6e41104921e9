/** How a tick's question reaches the host and its answer comes back: over one open shell, or by an exec a tick. */
import type { Channel, ChannelEnd, Connection } from "../ssh/connection.js";
import type { Clock, Timer } from "../lib/clock.js";
import { FrameReader, type Frame } from "./frame.js";

export type Answer =
  | { readonly kind: "whole"; readonly frame: Frame; readonly latencyMs: number }
  /** Nothing came for longer than any part may take: what had come by then. The remote side still works on it. */
  | { readonly kind: "stuck"; readonly frame: Frame; readonly latencyMs: number }
  /** The channel closed before the frame's end. */
  | {
      readonly kind: "closed";
      readonly frame: Frame;
      readonly latencyMs: number;
      readonly end: ChannelEnd;
      readonly preamble: string;
      readonly stderr: string;
    };

export interface LaneTiming {
  readonly clock: Clock;
  readonly toolTimeoutSecs: number;
}

/** Beyond a part's own deadline: `timeout -k 1`, a busy host, the way back. */
const SILENCE_SLACK_MS = 4000;
const STDERR_CHARS = 4000;

type Status = "idle" | "asked" | "stuck" | "closed";

/** One channel with a shell on it. One question at a time; a stuck one becomes idle again when its frame ends late. */
export class Lane {
  readonly #reader: FrameReader;
  readonly #timing: LaneTiming;
  #channel: Channel | null = null;
  #status: Status = "idle";
  #settle: ((answer: Answer) => void) | null = null;
  #timer: Timer | null = null;
  #askedAt = 0;
  #heardAt = 0;
  #stderr = "";

  private constructor(nonce: string, timing: LaneTiming) {
    this.#reader = new FrameReader(nonce);
    this.#timing = timing;
  }

  /** Opens a channel and asks nothing yet. Rejects as Connection.open does. */
  static async open(
    connection: Connection,
    command: string,
    nonce: string,
    timing: LaneTiming,
  ): Promise<Lane> {
    const lane = new Lane(nonce, timing);
    await lane.#open(connection, command);
    return lane;
  }

  /** Opens a channel whose command itself answers `tick`. Rejects as Connection.open does. */
  static async openAsking(
    connection: Connection,
    command: string,
    nonce: string,
    timing: LaneTiming,
    tick: number,
  ): Promise<{ readonly lane: Lane; readonly answer: Answer }> {
    const lane = new Lane(nonce, timing);
    const answer = lane.#expect(tick);
    try {
      await lane.#open(connection, command);
    } catch (error) {
      lane.#closed({ kind: "lost" });
      throw error;
    }
    return { lane, answer: await answer };
  }

  get status(): Status {
    return this.#status;
  }

  /** Sends text and waits for the frame of `tick`. Never rejects. */
  ask(text: string, tick: number): Promise<Answer> {
    const answer = this.#expect(tick);
    this.#channel?.write(text);
    return answer;
  }

  /** Sends text that answers nothing. */
  tell(text: string): void {
    this.#channel?.write(text);
  }

  /** Ends the shell's input and gives the channel up. */
  abandon(): void {
    this.#channel?.end();
    this.#channel?.abandon();
    this.#closed({ kind: "lost" });
  }

  async #open(connection: Connection, command: string): Promise<void> {
    const channel = await connection.open(command, {
      stdout: (chunk) => this.#heard(chunk),
      stderr: (chunk) => {
        if (this.#stderr.length < STDERR_CHARS) this.#stderr += chunk.toString("utf8");
      },
      closed: (end) => this.#closed(end),
    });
    this.#channel = channel;
    if (this.#status === "closed") channel.abandon();
  }

  #expect(tick: number): Promise<Answer> {
    const now = this.#timing.clock.nowMs();
    this.#askedAt = now;
    this.#heardAt = now;
    this.#stderr = "";
    this.#reader.begin(tick);
    return new Promise((resolve) => {
      this.#settle = resolve;
      if (this.#status === "closed") {
        this.#answer({ kind: "closed", ...this.#taken(), end: { kind: "lost" }, preamble: "", stderr: "" });
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
    const left = longest - (clock.nowMs() - this.#heardAt);
    this.#timer = clock.after(left, () => {
      if (clock.nowMs() - this.#heardAt < longest) {
        this.#watchSilence();
        return;
      }
      this.#status = "stuck";
      this.#answer({ kind: "stuck", ...this.#taken() });
    });
  }

  #heard(chunk: Buffer): void {
    this.#heardAt = this.#timing.clock.nowMs();
    if (this.#status !== "asked" && this.#status !== "stuck") return;
    let ended: boolean;
    try {
      ended = this.#reader.push(chunk, this.#heardAt);
    } catch {
      this.abandon();
      return;
    }
    if (!ended) return;
    const late = this.#status === "stuck";
    this.#status = "idle";
    if (!late) this.#answer({ kind: "whole", ...this.#taken() });
  }

  #closed(end: ChannelEnd): void {
    if (this.#status === "closed") return;
    this.#status = "closed";
    this.#answer({
      kind: "closed",
      ...this.#taken(),
      end,
      preamble: this.#settle === null ? "" : this.#reader.preamble(),
      stderr: this.#stderr,
    });
  }

  #taken(): { readonly frame: Frame; readonly latencyMs: number } {
    return {
      frame: this.#reader.frame(this.#timing.toolTimeoutSecs),
      latencyMs: this.#timing.clock.nowMs() - this.#askedAt,
    };
  }

  #answer(answer: Answer): void {
    this.#timer?.cancel();
    this.#timer = null;
    const settle = this.#settle;
    this.#settle = null;
    settle?.(answer);
  }
}
