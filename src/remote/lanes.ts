/**
 * The shells of one host: the one that ticks go over, and one aside that hangs. Never a third; the only other channel is
 * that of driver-hold.ts.
 */
import { randomBytes } from "node:crypto";
import { ChannelRefused, type Connection } from "../contract/connection.js";
import type { ChannelMode } from "../contract/record.js";
import { Lane, type Answer, type LaneTiming } from "./lane.js";
import {
  BARE_INPUT_SCRIPT,
  BARE_SHELL_SCRIPT,
  SHELL_FOR_INPUT,
  shellCommand,
  tickDefinitions,
  tickLine,
  tickScript,
  type TickPlan,
} from "./script.js";

export type Asked = Answer | { readonly kind: "refused"; readonly message: string };

/** The same object as long as nothing in it changes. */
export type SessionPlan = Omit<TickPlan, "nonce">;

export class Lanes {
  /** Marks what the host answers; unknown to its tools. */
  readonly nonce = randomBytes(6).toString("hex");
  readonly #connection: Connection;
  readonly #timing: LaneTiming;
  #main: Lane | null = null;
  /** Its shell hangs in a part; ticks go over another one meanwhile. */
  #hungLane: Lane | null = null;
  #mode: ChannelMode = "session";
  /** The login shell changes what is quoted: scripts go to a bare shell's standard input. */
  #isByInput = false;
  /** What a shell is told once, by the plan that it is made of. */
  #sent: { readonly plan: SessionPlan; readonly definitions: string } | null = null;

  constructor(connection: Connection, timing: LaneTiming) {
    this.#connection = connection;
    this.#timing = timing;
  }

  get mode(): ChannelMode {
    return this.#mode;
  }

  /** A shell hangs in something that its deadline did not end. */
  get isStuck(): boolean {
    return this.#hungLane?.status === "stuck" || this.#main?.status === "stuck";
  }

  /** Asks over a channel of its own by a script that answers `tick`; its shell, if it stays, takes the ticks from now on. */
  async begin(script: string, tick: number): Promise<Answer> {
    this.#main?.abandon();
    const { lane, answer } = this.#run(script, tick);
    this.#main = lane;
    const heard = await answer;
    this.#parkHungLane();
    return heard;
  }

  /** From now on scripts go by standard input, which no login shell changes. */
  byInput(): void {
    this.#isByInput = true;
  }

  get isByInput(): boolean {
    return this.#isByInput;
  }

  #run(script: string, tick: number): { readonly lane: Lane; readonly answer: Promise<Answer> } {
    if (!this.#isByInput) {
      const lane = Lane.open(this.#connection, shellCommand(script), this.nonce, this.#timing);
      return { lane, answer: lane.awaitFrame(tick) };
    }
    const lane = Lane.open(this.#connection, SHELL_FOR_INPUT, this.nonce, this.#timing);
    return { lane, answer: lane.feed(`${script}\n`, tick) };
  }

  #openBare(): Lane {
    if (!this.#isByInput)
      return Lane.open(this.#connection, shellCommand(BARE_SHELL_SCRIPT), this.nonce, this.#timing);
    const lane = Lane.open(this.#connection, SHELL_FOR_INPUT, this.nonce, this.#timing);
    lane.prepare(`${BARE_INPUT_SCRIPT}\n`);
    return lane;
  }

  /** No script of ours runs here. */
  plain(): void {
    this.close();
    this.#mode = "plain";
  }

  /** Asks for one tick. Rejects when the connection is gone. */
  ask(plan: SessionPlan, tick: number): Promise<Asked> {
    this.#resumeParked();
    if (this.#main?.status === "stuck")
      return Promise.resolve({ kind: "refused", message: "the remote shell hangs" });
    return this.#ask(plan, tick);
  }

  /** Ends the remote shells' input; the connection is the owner's. */
  close(): void {
    this.#main?.abandon();
    this.#hungLane?.abandon();
    this.#main = null;
    this.#hungLane = null;
  }

  // No async function: what one keeps while a host is asked is more than all else of the question.
  #ask(plan: SessionPlan, tick: number, isAgain = false): Promise<Asked> {
    if (this.#mode === "exec" || this.#main?.exitedBeforeFirstLine === true)
      return this.#askByExec(plan, tick);
    if (this.#main === null || this.#main.status === "closed") {
      this.#main = this.#openBare();
    }
    const lane = this.#main;
    return lane.ask(this.#definitions(plan), tickLine(tick), tick).then((answer) => {
      if (lane.exitedBeforeFirstLine) return this.#askByExec(plan, tick);
      // The shell had ended before it was asked: another one is. When it is the connection that has ended, that rejects.
      const unheard = answer.kind === "closed" && answer.end.kind !== "flooded" && isSilent(answer);
      if (unheard && !isAgain) return this.#ask(plan, tick, true);
      this.#parkHungLane();
      return answer;
    }, refused);
  }

  /** The shell that should stay was not allowed to: from now on each tick is an exec of its own. */
  #askByExec(plan: SessionPlan, tick: number): Promise<Asked> {
    this.#mode = "exec";
    return this.begin(tickScript({ ...plan, nonce: this.nonce }, tick), tick).catch(refused);
  }

  #definitions(plan: SessionPlan): string {
    if (this.#sent?.plan !== plan) {
      this.#sent = { plan, definitions: tickDefinitions({ ...plan, nonce: this.nonce }) };
    }
    return this.#sent.definitions;
  }

  #parkHungLane(): void {
    if (this.#main?.status !== "stuck" || this.#hungLane?.status === "stuck") return;
    this.#hungLane = this.#main;
    this.#main = null;
  }

  /** What hung has ended at last: its shell is as good as the stand-in, which may go. */
  #resumeParked(): void {
    if (this.#hungLane === null || this.#hungLane.status === "stuck") return;
    if (this.#hungLane.status === "idle") {
      this.#main?.abandon();
      this.#main = this.#hungLane;
    }
    this.#hungLane = null;
  }
}

function refused(error: unknown): Asked {
  if (error instanceof ChannelRefused) return { kind: "refused", message: error.message };
  throw error;
}

function isSilent({ frame }: Answer): boolean {
  return frame.outputs.size === 0;
}
