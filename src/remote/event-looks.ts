/**
 * Looks at a host's kernel log beside the ticks: on channels of their own, so that a slow or hung journal delays no
 * reading, and rarely. One object for each host, for all its sessions: what is new depends on the looks before.
 */
import { HostError, hostErrorOf } from "../contract/errors.js";
import type { SectionError } from "../contract/record.js";
import type { KernelEvent } from "../contract/kernel-event.js";
import type { StepLog } from "../contract/step-log.js";
import type { Clock, Timer } from "../lib/clock.js";
import { partError } from "../shims/kit/part-output.js";
import type { Part } from "../shims/kit/shim.js";
import { KernelLog } from "../system/kernel-log/kernel-log.js";
import { KERNEL_LOG } from "../system/kernel-log/questions.js";
import { endMessage, type CutShort } from "./ended.js";
import type { Found, SessionOptions } from "./found.js";
import type { Answer } from "./lane.js";
import type { Lanes, SessionPlan } from "./lanes.js";
import type { TimeoutCommand } from "./script-plan.js";

/** From the beginning of one look to that of the next. */
export const MIN_BETWEEN_MS = 30_000;
/** Deadline of journalctl or dmesg. */
const MAX_LOOK_SECS = 5;
/** How long a reading may wait for a look where more readings follow. */
const MAX_WAIT_MS = 1000;
/** The journal, its beginning where the position is lost, the kernel's buffer. */
const MAX_QUESTIONS = 3;

/** What looks have found since the last frame. */
export interface NewEvents {
  /** Null: no look has ended. */
  readonly events: readonly KernelEvent[] | null;
  readonly errors: readonly SectionError[];
}

/** What a session's looks need of it. */
interface LookedAt {
  /** Of the session, and of the looks alone. */
  readonly ticks: Lanes;
  readonly lanes: Lanes;
  readonly limiter: TimeoutCommand;
  readonly toolTimeoutSecs: number;
  readonly step: StepLog | undefined;
}

export class EventLooks {
  readonly #clock: Clock;
  readonly #log = new KernelLog();
  /** Null between sessions, and where the host has no log that can be read. */
  #session: LookedAt | null = null;
  #look: Promise<void> | null = null;
  #lookedAtMs = -Infinity;
  #events: readonly KernelEvent[] | null = null;
  #errors: readonly SectionError[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A new session, whose first look begins. Resolves when it has ended, or soon where other readings follow. */
  async connected(ticks: Lanes, found: Found, { sample, intervalMs, step }: SessionOptions): Promise<void> {
    this.#end();
    const unsupported = whyUnsupported(ticks, found);
    if (unsupported !== null) {
      this.#fail({ section: "event", kind: "error", message: unsupported });
      return;
    }
    const toolTimeoutSecs = Math.min(MAX_LOOK_SECS, sample.toolTimeoutSecs);
    const lanes = ticks.beside({ clock: this.#clock, toolTimeoutSecs }, intervalMs === null);
    this.#session = { ticks, lanes, limiter: found.limiter, toolTimeoutSecs, step };
    this.#log.connected();
    const look = this.lookIfDue();
    return intervalMs === null ? look : this.#waitShortly(look);
  }

  /** Takes a sample, with a look beside it where one is due. Waits for the look only where ticks are rare. */
  async beside<Taken>(sample: () => Promise<Taken>, intervalMs: number | null): Promise<Taken> {
    const look = this.lookIfDue();
    const taken = await sample();
    // Else what the look finds would be one long interval late.
    if ((intervalMs ?? 0) >= MIN_BETWEEN_MS) await this.#waitShortly(look);
    return taken;
  }

  /** Waits for a look, but no reading for long. */
  async #waitShortly(look: Promise<void>): Promise<void> {
    let timer: Timer | null = null;
    const waited = new Promise<void>((resolve) => (timer = this.#clock.after(MAX_WAIT_MS, resolve)));
    await Promise.race([look, waited]);
    (timer as Timer | null)?.cancel();
  }

  /** The session with these lanes has ended. A later one may have begun meanwhile. */
  disconnected(ticks: Lanes): void {
    if (this.#session?.ticks === ticks) this.#end();
  }

  #end(): void {
    this.#session?.lanes.close();
    this.#session = null;
    this.#look = null;
  }

  /** Resolves when the look that this begins, or that is under way, has ended. Never rejects. */
  lookIfDue(): Promise<void> {
    if (this.#look !== null) return this.#look;
    const session = this.#session;
    const now = this.#clock.nowMs();
    if (session === null || session.lanes.isHung || now - this.#lookedAtMs < MIN_BETWEEN_MS)
      return Promise.resolve();
    this.#lookedAtMs = now;
    const look = this.#lookAt(session).finally(() => {
      if (this.#look === look) this.#look = null;
    });
    this.#look = look;
    return look;
  }

  /** For the frame that is made now: nothing of it comes again. */
  take(): NewEvents {
    const taken = { events: this.#events, errors: this.#errors };
    this.#events = null;
    this.#errors = [];
    return taken;
  }

  async #lookAt(session: LookedAt): Promise<void> {
    try {
      for (let asked = 0; asked < MAX_QUESTIONS; asked++) {
        const command = this.#log.question();
        if (command === null) return;
        const answer = await session.lanes.ask(planFor(session, command), asked);
        // Of a session that has ended: the next one asks the same again.
        if (this.#session !== session) return;
        session.step?.("remote", `kernel log: ${answer.end.kind} after ${answer.latencyMs.toFixed(1)} ms`);
        if (!this.#takeAnswer(answer)) return;
      }
    } catch (error) {
      // That the connection is gone is for the session to report.
      if (error instanceof HostError || this.#session !== session) return;
      const { message } = hostErrorOf(error, "sample");
      this.#fail({ section: "event", kind: "error", message: `the kernel log was not read: ${message}` });
    }
  }

  /** True where another question comes first. */
  #takeAnswer({ frame, end }: Answer): boolean {
    const output = frame.outputs.get(KERNEL_LOG);
    const failure = end.kind === "whole" ? partError("event", "the kernel log", output) : lookFailure(end);
    if (failure !== null || output === undefined) {
      if (end.kind !== "refused") this.#log.unanswered();
      // A channel that was lost goes with its connection.
      if (failure !== null && end.kind !== "lost") this.#fail(failure);
      return false;
    }
    const step = this.#log.answer(output.stdout);
    if (step.kind === "read") this.#events = [...(this.#events ?? []), ...step.events];
    if (step.kind === "failed") this.#fail(step.error);
    return step.kind === "again";
  }

  #fail(error: SectionError): void {
    this.#errors = [...this.#errors.filter(({ message }) => message !== error.message), error];
  }
}

function planFor({ limiter, toolTimeoutSecs }: LookedAt, command: string): SessionPlan {
  const part: Part = { id: KERNEL_LOG, kind: "shell", command };
  return { toolTimeoutSecs, limiter, isGuarded: false, system: [part], tools: [] };
}

function lookFailure(end: CutShort): SectionError {
  const kind = end.kind === "hung" ? "timeout" : "error";
  return { section: "event", kind, message: `the kernel log was not read: ${endMessage(end)}` };
}

function whyUnsupported(lanes: Lanes, { systemId }: Found): string | null {
  if (systemId !== "linux")
    return `kernel events are read on Linux only; the host's system is ${systemId ?? "not known"}`;
  if (lanes.mode === "plain")
    return "kernel events are not read: the account runs only single commands, and no shell";
  return null;
}
