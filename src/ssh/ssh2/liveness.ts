/** Whether the server of a session is still there: keepalives when nothing comes, and a question when a reading is late. */
import { HostError } from "../../contract/errors.js";
import type { StepLog } from "../../contract/step-log.js";
import type { Clock, Timer } from "../../lib/clock.js";
import { deadlineAfter } from "../../lib/deadline.js";
import { planLabel, type HostPlan } from "../plan/plan.js";

export interface LivenessParts {
  readonly plan: HostPlan;
  readonly clock: Clock;
  /** Sends something that the server must answer. */
  readonly ping: () => void;
  /** Messages that were received whole, as a count. */
  readonly limits: { readonly messages: number };
  readonly step?: StepLog | undefined;
}

/** More than an answer to a keepalive: a slow network may still carry a long message that came before it. */
const MIN_SIGN_BYTES = 512;

/** `failed` is called when the server gives no sign of life, or cannot be asked. */
export class Liveness {
  #hasReceived = false;
  #unanswered = 0;
  #timer: Timer | null = null;
  /** The server was asked for a sign of life: ends the session. Null: it was not, or it has answered. */
  #confirming: Timer | null = null;
  #messagesBefore = 0;
  #bytesSinceAsked = 0;

  constructor(
    private readonly parts: LivenessParts,
    private readonly failed: (error: unknown) => void,
  ) {
    this.#watch();
  }

  /** Some bytes may belong to a message that never ends. */
  received(bytes: number): void {
    this.#hasReceived = true;
    if (this.#confirming === null) return;
    this.#bytesSinceAsked += bytes;
    const isAnswered = this.parts.limits.messages > this.#messagesBefore;
    if (isAnswered || this.#bytesSinceAsked >= MIN_SIGN_BYTES) this.#confirmed();
  }

  /** The server must give a sign of life within that time. */
  confirm(withinMs: number): void {
    if (this.#confirming !== null) return;
    const { clock, plan, ping, step, limits } = this.parts;
    step?.("ssh", "asking the server for a sign of life");
    this.#messagesBefore = limits.messages;
    this.#bytesSinceAsked = 0;
    this.#confirming = deadlineAfter(clock, withinMs, () => {
      const message = `${planLabel(plan)}: no answer within ${withinMs / 1000} s to a keepalive that was sent because a reading is late: the host, its sshd or the network has stopped`;
      this.failed(new HostError("keepalive-timeout", "sample", message));
    });
    try {
      ping();
    } catch (error) {
      this.failed(error);
    }
  }

  stop(): void {
    this.#timer?.cancel();
    this.#confirmed();
  }

  #confirmed(): void {
    this.#confirming?.cancel();
    this.#confirming = null;
  }

  /** As ServerAliveInterval: pings only when nothing was received for an interval (clientloop.c). */
  #watch(): void {
    const { intervalMs, countMax } = this.parts.plan.keepalive;
    this.#timer = this.parts.clock.after(intervalMs, () => {
      if (this.#hasReceived) {
        this.#hasReceived = false;
        this.#unanswered = 0;
        this.#watch();
        return;
      }
      if (this.#unanswered >= countMax) {
        const silentSecs = ((countMax + 1) * intervalMs) / 1000;
        const message = `${planLabel(this.parts.plan)}: no answer to ${countMax} keepalives (${silentSecs} s)`;
        this.failed(new HostError("keepalive-timeout", "sample", message));
        return;
      }
      this.#unanswered += 1;
      try {
        this.parts.ping();
        this.#watch();
      } catch (error) {
        this.failed(error);
      }
    });
  }
}
