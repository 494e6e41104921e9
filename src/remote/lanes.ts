/**
 * The shells of one host: the one that ticks go over, and one that hangs and is parked. Never a third; the only other
 * channels are that of driver-hold.ts, and those of event-looks.ts, which has lanes of its own.
 */
import { randomBytes } from "node:crypto";
import { ChannelRefused, type Connection } from "../contract/connection.js";
import type { ChannelMode } from "../contract/record.js";
import { hasClosed } from "./ended.js";
import { NO_FRAME } from "./frame.js";
import { Lane, type Answer } from "./lane.js";
import type { LaneTiming } from "./silence-watch.js";
import {
  BARE_INPUT_SCRIPT,
  BARE_SHELL_SCRIPT,
  SHELL_FOR_INPUT,
  tickDefinitions,
  tickLine,
  tickScript,
} from "./script.js";
import type { TickPlan } from "./script-plan.js";
import { scriptOf, shellCommand, type Script } from "./shell-command.js";

/** The same object as long as nothing in it changes. */
export type SessionPlan = Omit<TickPlan, "nonce">;

export class Lanes {
  /** In every marker that the host prints; its tools do not know it. */
  readonly nonce = randomBytes(6).toString("hex");
  readonly #connection: Connection;
  readonly #timing: LaneTiming;
  #main: Lane | null = null;
  /** Its shell hangs in a part; ticks go over another one meanwhile. */
  #hungLane: Lane | null = null;
  #mode: ChannelMode = "session";
  /** The login shell changes what is quoted: scripts go to a bare shell's standard input. */
  #isByInput = false;

  constructor(connection: Connection, timing: LaneTiming) {
    this.#connection = connection;
    this.#timing = timing;
  }

  get mode(): ChannelMode {
    return this.#mode;
  }

  /** A shell hangs in a program that its deadline did not end. */
  get isHung(): boolean {
    return this.#hungLane?.isHung === true || this.#main?.isHung === true;
  }

  /**
   * Runs a script that answers `tick` on a new channel; its shell, if it stays, takes the ticks from now on. Rejects as
   * Connection.open does.
   */
  async begin(script: Script, tick: number): Promise<Answer> {
    this.#main?.abandon();
    const { lane, answer: answering } = this.#run(script, tick);
    this.#main = lane;
    const answer = await answering;
    this.#parkHungLane();
    return answer;
  }

  /** Lanes for questions beside the ticks, in the same way. `isOnly`: no shell stays for another question. */
  beside(timing: LaneTiming, isOnly: boolean): Lanes {
    const lanes = new Lanes(this.#connection, timing);
    lanes.#mode = isOnly ? "exec" : this.#mode;
    lanes.#isByInput = this.#isByInput;
    return lanes;
  }

  /** From now on scripts go by standard input, which no login shell changes. */
  byInput(): void {
    this.#isByInput = true;
  }

  #run(script: Script, tick: number): { readonly lane: Lane; readonly answer: Promise<Answer> } {
    if (!this.#isByInput) {
      const lane = Lane.open(this.#connection, script.command, this.nonce, this.#timing);
      return { lane, answer: lane.awaitFrame(tick) };
    }
    const lane = Lane.open(this.#connection, SHELL_FOR_INPUT, this.nonce, this.#timing);
    return { lane, answer: lane.feed(`${script.text}\n`, tick) };
  }

  #openBare(): Lane {
    if (!this.#isByInput)
      return Lane.open(this.#connection, shellCommand(BARE_SHELL_SCRIPT), this.nonce, this.#timing);
    const lane = Lane.open(this.#connection, SHELL_FOR_INPUT, this.nonce, this.#timing);
    lane.prepare(`${BARE_INPUT_SCRIPT}\n`);
    return lane;
  }

  /** The host runs no script of ours: it is asked by plain commands, and no shell stays. */
  plain(): void {
    this.close();
    this.#mode = "plain";
  }

  /** Asks for one tick. Rejects when the connection is gone. */
  ask(plan: SessionPlan, tick: number): Promise<Answer> {
    this.#resumeParked();
    if (this.#main?.isHung === true) return Promise.resolve(refusal("the remote shell hangs"));
    return this.#ask(plan, tick);
  }

  /** Ends the remote shells' input; the connection is the owner's. */
  close(): void {
    this.#main?.abandon();
    this.#hungLane?.abandon();
    this.#main = null;
    this.#hungLane = null;
  }

  // Not an async function: its state, kept while a host is asked, takes more memory than the rest of the question.
  #ask(plan: SessionPlan, tick: number, isAgain = false): Promise<Answer> {
    if (this.#mode === "exec" || this.#main?.exitedBeforeFirstLine === true)
      return this.#askByExec(plan, tick);
    if (this.#main === null || this.#main.isClosed) this.#main = this.#openBare();
    const lane = this.#main;
    const define = (): string => tickDefinitions({ ...plan, nonce: this.nonce });
    return lane.ask(plan, define, tickLine(tick), tick).then((answer) => {
      if (lane.exitedBeforeFirstLine) return this.#askByExec(plan, tick);
      // The shell had exited before it got the question: another shell is asked. If the connection is gone, that rejects.
      const isUnanswered = hasClosed(answer.end) && answer.frame.outputs.size === 0;
      if (isUnanswered && !isAgain) return this.#ask(plan, tick, true);
      this.#parkHungLane();
      return answer;
    }, refusalOf);
  }

  /** The shell was not allowed to stay: from now on each tick is an exec of its own. */
  #askByExec(plan: SessionPlan, tick: number): Promise<Answer> {
    this.#mode = "exec";
    return this.begin(scriptOf(tickScript({ ...plan, nonce: this.nonce }, tick)), tick).catch(refusalOf);
  }

  #parkHungLane(): void {
    if (this.#main?.isHung !== true || this.#hungLane?.isHung === true) return;
    this.#hungLane = this.#main;
    this.#main = null;
  }

  /** When the parked shell is free again, it takes the ticks, and the one that stood in for it is closed. */
  #resumeParked(): void {
    if (this.#hungLane === null || this.#hungLane.isHung) return;
    if (this.#hungLane.isIdle) {
      this.#main?.abandon();
      this.#main = this.#hungLane;
    }
    this.#hungLane = null;
  }
}

function refusalOf(error: unknown): Answer {
  if (error instanceof ChannelRefused) return refusal(error.message);
  throw error;
}

function refusal(message: string): Answer {
  return { frame: NO_FRAME, latencyMs: 0, end: { kind: "refused", message }, otherOutput: "" };
}
