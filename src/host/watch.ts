/** One host for the length of a run: connect, probe, sample on the beat, and come back after what goes wrong. */
import { HostError } from "../errors.js";
import type { Clock, Timer } from "../lib/clock.js";
import type { LastError, StreamRecord } from "../record.js";
import type { Sample } from "../remote/session.js";
import { retryDelayMs } from "./backoff.js";
import { Condition } from "./condition.js";
import { frameRecord, type HostIdentity, type HostRoute } from "./host-record.js";
import { Inbox } from "./inbox.js";
import type { Ticks } from "./ticks.js";

/** A host that is connected and probed. */
export interface LiveHost {
  readonly route: HostRoute;
  /** Never rejects for what tools do; throws HostError when the connection is gone. */
  sample(tick: number): Promise<Sample>;
  /** Settles when the connection goes away by itself. */
  readonly lost: Promise<HostError>;
  close(): Promise<void>;
}

export interface WatchOptions {
  readonly host: HostIdentity;
  /** Dial, handshake, probe and first sample. Throws HostError, or the signal's reason. */
  readonly reach: (signal: AbortSignal) => Promise<{ readonly live: LiveHost; readonly first: Sample }>;
  readonly ticks: Ticks;
  readonly clock: Clock;
  /** Waited before the first attempt, so that a large fleet does not dial all at once. */
  readonly startDelayMs: number;
  /** One record a host, no transitions, no retry: the failure is the answer. */
  readonly isOnce: boolean;
  readonly random: () => number;
}

type Event =
  | { readonly kind: "tick" }
  | { readonly kind: "retry" }
  | { readonly kind: "up"; readonly live: LiveHost; readonly first: Sample; readonly nowMs: number }
  | { readonly kind: "failed"; readonly error: HostError }
  | { readonly kind: "sampled"; readonly tick: number; readonly sample: Sample; readonly nowMs: number }
  | { readonly kind: "lost"; readonly live: LiveHost; readonly error: HostError }
  | { readonly kind: "bug"; readonly error: unknown };

type Link =
  | { readonly kind: "connecting" }
  | { readonly kind: "up"; readonly live: LiveHost; readonly samplingTick: number | null }
  | { readonly kind: "down" };

/** A reader that has us wait longer for it, with nothing else to do, has stalled. */
const STALL_MS = 250;
/** After a longer sleep than this (a laptop's lid, SIGSTOP) the ticks that passed are skipped. */
const MOST_LATE_TICKS = 30;

/**
 * The host's records until the run's last tick, or until `signal` aborts. Resumed only after the last record was consumed:
 * ticks that pass meanwhile are skipped. Throws only for a bug.
 */
export function watchHost(
  options: WatchOptions,
  signal: AbortSignal,
): AsyncIterableIterator<StreamRecord, void> {
  return new HostWatch(options, signal);
}

/** No generator: a suspended one keeps the last record and the sample behind it, for every host of a fleet. */
class HostWatch implements AsyncIterableIterator<StreamRecord, void> {
  readonly #options: WatchOptions;
  readonly #signal: AbortSignal;
  readonly #inbox = new Inbox<Event>();
  /** The attempt that is under way; aborted when the watch ends, for whichever reason. */
  #attempt: AbortController | null = null;
  readonly #onAbort = (): void => {
    this.#inbox.close();
    this.#attempt?.abort(this.#signal.reason);
  };
  readonly #condition: Condition;
  #link: Link = { kind: "connecting" };
  /** Connected, and not yet heard of: its event is still in the inbox. */
  #reached: LiveHost | null = null;
  #route: HostRoute | null = null;
  #tickTimer: Timer | null = null;
  #retryTimer: Timer | null = null;
  /** A tick that has begun and has no record yet, and no sample under way for it. */
  #owed: number | null = null;
  #nextTick = 0;
  /** The records of the event that is being told. */
  #telling: Generator<StreamRecord, void> | null;
  /** How long we had been idle when the reader was given the record that it has not come back from. */
  #toldAtIdleMs: number | null = null;
  /** When the reader came back from its last stall. */
  #wokeMs = -Infinity;
  #closing: Promise<void> | null = null;

  constructor(options: WatchOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
    this.#condition = new Condition(options.host, options.clock);
    this.#telling = this.#begin();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<StreamRecord, void>> {
    this.#noteStall();
    try {
      while (this.#closing === null) {
        const told = this.#telling?.next();
        if (told?.done === false) {
          this.#toldAtIdleMs = this.#options.clock.idleMs();
          return told;
        }
        this.#telling = null;
        if (this.#isDone()) break;
        const event = this.#inbox.take();
        if (event !== undefined) this.#telling = this.#on(event);
        else if (this.#inbox.isClosed) break;
        else await this.#inbox.arrival();
      }
    } catch (error) {
      await this.#close();
      throw error;
    }
    return this.return();
  }

  async return(): Promise<IteratorResult<StreamRecord, void>> {
    await this.#close();
    return { done: true, value: undefined };
  }

  *#begin(): Generator<StreamRecord, void> {
    this.#signal.addEventListener("abort", this.#onAbort);
    if (this.#signal.aborted) this.#onAbort();
    yield* this.#transition();
    if (this.#inbox.isClosed) return;
    this.#retryTimer = this.#options.clock.after(this.#options.startDelayMs, () => this.#connect());
    this.#armTick(0);
  }

  #noteStall(): void {
    const { clock } = this.#options;
    const toldAtIdleMs = this.#toldAtIdleMs;
    this.#toldAtIdleMs = null;
    if (toldAtIdleMs === null || clock.idleMs() - toldAtIdleMs <= STALL_MS) return;
    this.#wokeMs = clock.nowMs();
  }

  #close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end(): Promise<void> {
    this.#telling = null;
    this.#signal.removeEventListener("abort", this.#onAbort);
    this.#inbox.close();
    this.#attempt?.abort();
    this.#tickTimer?.cancel();
    this.#retryTimer?.cancel();
    await this.#reached?.close();
    if (this.#link.kind === "up") await this.#link.live.close();
  }

  #isDone(): boolean {
    const sampling = this.#link.kind === "up" && this.#link.samplingTick !== null;
    return this.#nextTick > this.#options.ticks.last && this.#owed === null && !sampling;
  }

  *#on(event: Event): Generator<StreamRecord, void> {
    switch (event.kind) {
      case "tick":
        return yield* this.#onTick();
      case "retry":
        this.#link = { kind: "connecting" };
        this.#condition.retrying();
        yield* this.#transition();
        this.#connect();
        return;
      case "up":
        return yield* this.#onUp(event);
      case "failed":
        return yield* this.#onFailure(event.error);
      case "sampled":
        return yield* this.#onSampled(event);
      case "lost":
        if (this.#link.kind !== "up" || this.#link.live !== event.live) return;
        this.#owed ??= this.#link.samplingTick;
        void this.#link.live.close();
        return yield* this.#onFailure(event.error);
      case "bug":
        throw event.error;
    }
  }

  // ---- ticks

  #armTick(tick: number): void {
    const wait = this.#options.ticks.untilMs(tick);
    if (wait === Infinity || tick > this.#options.ticks.last + 1) return;
    this.#tickTimer = this.#options.clock.after(wait, () => this.#inbox.put({ kind: "tick" }));
  }

  *#onTick(): Generator<StreamRecord, void> {
    yield* this.#settleOwed();
    const { ticks } = this.#options;
    const now = ticks.now();
    if (now < this.#nextTick) {
      this.#armTick(this.#nextTick);
      return;
    }
    // A reader that slept wants what was fresh when it woke; where we were late ourselves, every tick still has its record.
    const fresh = now - this.#nextTick > MOST_LATE_TICKS ? now : Math.min(now, ticks.at(this.#wokeMs));
    const tick = Math.max(fresh, this.#nextTick);
    this.#armTick(tick + 1);
    this.#nextTick = tick + 1;
    // The ticks that a stalled reader slept through are skipped, the last one too.
    if (tick > ticks.last) return;
    switch (this.#link.kind) {
      case "connecting":
        this.#owed = tick;
        return;
      case "down":
        yield this.#condition.record(this.#route, tick);
        return;
      case "up":
        if (this.#link.samplingTick === null) this.#sample(this.#link.live, tick);
        else yield this.#condition.record(this.#route, tick, overrun(this.#link.samplingTick));
    }
  }

  #sample(live: LiveHost, tick: number): void {
    this.#link = { kind: "up", live, samplingTick: tick };
    const { clock } = this.#options;
    live.sample(tick).then(
      (sample) => this.#inbox.put({ kind: "sampled", tick, sample, nowMs: clock.nowMs() }),
      (error: unknown) =>
        this.#inbox.put(error instanceof HostError ? { kind: "lost", live, error } : { kind: "bug", error }),
    );
  }

  *#onSampled(event: Event & { readonly kind: "sampled" }): Generator<StreamRecord, void> {
    if (this.#link.kind !== "up" || this.#link.samplingTick !== event.tick) return;
    const { live } = this.#link;
    this.#link = { kind: "up", live, samplingTick: null };
    this.#route = live.route;
    if (!this.#isStale(event.nowMs)) yield this.#frame(live, event.tick, event.sample, event.nowMs);
  }

  /** Arrived in a window that a stalled reader slept through: it wants a fresh sample, not this one. */
  #isStale(arrivedMs: number): boolean {
    const { ticks } = this.#options;
    return arrivedMs <= this.#wokeMs && ticks.now() > ticks.at(arrivedMs) + 1;
  }

  // ---- connection

  #connect(): void {
    const { clock, reach } = this.#options;
    const attempt = new AbortController();
    const { signal } = attempt;
    this.#retryTimer = null;
    this.#attempt = attempt;
    reach(signal).then(
      ({ live, first }) => {
        this.#attempt = null;
        if (signal.aborted) {
          void live.close();
          return;
        }
        this.#reached = live;
        this.#inbox.put({ kind: "up", live, first, nowMs: clock.nowMs() });
      },
      (error: unknown) => {
        this.#attempt = null;
        if (signal.aborted) return;
        this.#inbox.put(error instanceof HostError ? { kind: "failed", error } : { kind: "bug", error });
      },
    );
  }

  *#onUp({ live, first, nowMs }: Event & { readonly kind: "up" }): Generator<StreamRecord, void> {
    this.#link = { kind: "up", live, samplingTick: null };
    this.#reached = null;
    this.#route = live.route;
    void live.lost.then((error) => this.#inbox.put({ kind: "lost", live, error }));
    this.#condition.connected();
    yield* this.#transition();
    const tick = this.#owed;
    if (tick === null) return;
    this.#owed = null;
    if (this.#isStale(nowMs)) this.#sample(live, tick);
    else yield this.#frame(live, tick, first, nowMs);
  }

  *#onFailure(error: HostError): Generator<StreamRecord, void> {
    const { clock, isOnce, random } = this.#options;
    this.#link = { kind: "down" };
    const delay = this.#condition.failed(error, (failures) =>
      isOnce ? null : retryDelayMs(error.failure.code, failures, random()),
    );
    if (delay !== null) this.#retryTimer = clock.after(delay, () => this.#inbox.put({ kind: "retry" }));
    yield* this.#transition();
    yield* this.#settleOwed();
  }

  // ---- records

  *#transition(): Generator<StreamRecord, void> {
    if (!this.#options.isOnce) yield this.#condition.record(this.#route, null);
  }

  /** The state stands for the tick that got no reading. */
  *#settleOwed(): Generator<StreamRecord, void> {
    const tick = this.#owed;
    this.#owed = null;
    if (tick !== null) yield this.#condition.record(this.#route, tick);
  }

  #frame(live: LiveHost, tick: number, { reading, latencyMs }: Sample, arrivedMs: number): StreamRecord {
    const { clock, host } = this.#options;
    const wallMs = clock.wallMs() - (clock.nowMs() - arrivedMs);
    return frameRecord(host, live.route, wallMs, tick, reading, latencyMs);
  }
}

function overrun(tick: number): LastError {
  return {
    code: "sample-overrun",
    phase: "sample",
    message: `the sample of tick ${tick} is still under way`,
    fix: "a longer --interval, or see on the host why its tool takes so long",
  };
}
