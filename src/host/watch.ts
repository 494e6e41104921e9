/** One host for the length of a run: connect, probe, sample on the beat, and come back after what goes wrong. */
import { HostError } from "../errors.js";
import type { Clock, Timer } from "../lib/clock.js";
import { STATE_OF_CODE, type HostState, type LastError, type StreamRecord } from "../record.js";
import type { Sample } from "../remote/session.js";
import { retryDelayMs } from "./backoff.js";
import { frameRecord, stateRecord, type HostIdentity, type HostRoute } from "./host-record.js";
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
  | { readonly kind: "up"; readonly live: LiveHost; readonly first: Sample; readonly wallMs: number }
  | { readonly kind: "failed"; readonly error: HostError }
  | { readonly kind: "sampled"; readonly tick: number; readonly sample: Sample; readonly nowMs: number }
  | { readonly kind: "lost"; readonly live: LiveHost; readonly error: HostError }
  | { readonly kind: "bug"; readonly error: unknown };

type Link =
  | { readonly kind: "connecting" }
  | { readonly kind: "up"; readonly live: LiveHost; readonly samplingTick: number | null }
  | { readonly kind: "down" };

/**
 * Yields the host's records until the run's last tick, or until `signal` aborts. Resumed only after the last record was
 * consumed: ticks that pass meanwhile are skipped. Throws only for a bug.
 */
export async function* watchHost(
  options: WatchOptions,
  signal: AbortSignal,
): AsyncGenerator<StreamRecord, void> {
  const watch = new HostWatch(options, signal);
  try {
    yield* watch.records();
  } finally {
    await watch.close();
  }
}

class HostWatch {
  readonly #options: WatchOptions;
  readonly #signal: AbortSignal;
  readonly #inbox = new Inbox<Event>();
  readonly #onAbort = (): void => this.#inbox.close();
  #link: Link = { kind: "connecting" };
  #route: HostRoute | null = null;
  #state: HostState = "connecting";
  #previous: HostState | null = null;
  #sinceMs: number;
  #lastError: LastError | null = null;
  #attempt = 1;
  #failures = 0;
  #retryAtMs: number | null = null;
  #tickTimer: Timer | null = null;
  #retryTimer: Timer | null = null;
  /** A tick that has begun and has no record yet, and no sample under way for it. */
  #owed: number | null = null;
  #nextTick = 0;

  constructor(options: WatchOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
    this.#sinceMs = options.clock.wallMs();
    signal.addEventListener("abort", this.#onAbort);
    if (signal.aborted) this.#inbox.close();
  }

  async *records(): AsyncGenerator<StreamRecord, void> {
    yield* this.#transitionRecord();
    this.#retryTimer = this.#options.clock.after(this.#options.startDelayMs, () => this.#connect());
    this.#armTick(0);
    while (!this.#isDone()) {
      const event = await this.#inbox.take();
      if (event === null) return;
      yield* this.#on(event);
    }
  }

  async close(): Promise<void> {
    this.#signal.removeEventListener("abort", this.#onAbort);
    this.#inbox.close();
    this.#tickTimer?.cancel();
    this.#retryTimer?.cancel();
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
        this.#attempt = this.#failures + 1;
        this.#link = { kind: "connecting" };
        yield* this.#enter("connecting", this.#lastError);
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
    if (this.#owed !== null) yield* this.#tickRecord(this.#owed, this.#lastError);
    this.#owed = null;
    const tick = this.#options.ticks.now();
    this.#armTick(tick + 1);
    if (tick > this.#options.ticks.last || tick < this.#nextTick) return;
    this.#nextTick = tick + 1;
    switch (this.#link.kind) {
      case "connecting":
        this.#owed = tick;
        return;
      case "down":
        return yield* this.#tickRecord(tick, this.#lastError);
      case "up":
        if (this.#link.samplingTick === null) this.#sample(this.#link.live, tick);
        else yield* this.#tickRecord(tick, overrun(this.#link.samplingTick));
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
    // Arrived in a window that is long past: the reader was stalled, and wants a fresh sample, not this one.
    const { ticks, clock } = this.#options;
    if (ticks.now() > ticks.at(event.nowMs) + 1) return;
    const wallMs = clock.wallMs() - (clock.nowMs() - event.nowMs);
    yield frameRecord(
      this.#options.host,
      live.route,
      wallMs,
      event.tick,
      event.sample.reading,
      event.sample.latencyMs,
    );
  }

  // ---- connection

  #connect(): void {
    const { clock, reach } = this.#options;
    reach(this.#signal).then(
      ({ live, first }) => {
        if (this.#signal.aborted) void live.close();
        this.#inbox.put({ kind: "up", live, first, wallMs: clock.wallMs() });
      },
      (error: unknown) => {
        if (this.#signal.aborted) return;
        this.#inbox.put(error instanceof HostError ? { kind: "failed", error } : { kind: "bug", error });
      },
    );
  }

  *#onUp(event: Event & { readonly kind: "up" }): Generator<StreamRecord, void> {
    const { live, first } = event;
    this.#link = { kind: "up", live, samplingTick: null };
    this.#route = live.route;
    this.#failures = 0;
    void live.lost.then((error) => this.#inbox.put({ kind: "lost", live, error }));
    yield* this.#enter("connected", null);
    if (this.#owed === null) return;
    const tick = this.#owed;
    this.#owed = null;
    yield frameRecord(this.#options.host, live.route, event.wallMs, tick, first.reading, first.latencyMs);
  }

  *#onFailure(error: HostError): Generator<StreamRecord, void> {
    const { clock, isOnce, random } = this.#options;
    this.#failures += 1;
    this.#link = { kind: "down" };
    if (!isOnce) {
      const delay = retryDelayMs(error.failure.code, this.#failures, random());
      this.#retryAtMs = clock.nowMs() + delay;
      this.#retryTimer = clock.after(delay, () => this.#inbox.put({ kind: "retry" }));
    }
    yield* this.#enter(STATE_OF_CODE[error.failure.code], error.failure);
    if (this.#owed === null) return;
    const tick = this.#owed;
    this.#owed = null;
    yield* this.#tickRecord(tick, this.#lastError);
  }

  // ---- records

  *#enter(state: HostState, lastError: LastError | null): Generator<StreamRecord, void> {
    if (state === "connected" || state === "connecting") this.#retryAtMs = null;
    this.#previous = this.#state;
    this.#state = state;
    this.#lastError = lastError;
    this.#sinceMs = this.#options.clock.wallMs();
    yield* this.#transitionRecord();
  }

  *#transitionRecord(): Generator<StreamRecord, void> {
    if (!this.#options.isOnce) yield* this.#tickRecord(null, this.#lastError);
  }

  *#tickRecord(tick: number | null, lastError: LastError | null): Generator<StreamRecord, void> {
    const { clock, host } = this.#options;
    yield stateRecord(host, this.#route, clock.wallMs(), tick, {
      state: this.#state,
      previous: this.#previous,
      attempt: this.#attempt,
      consecutiveFailures: this.#failures,
      sinceMs: this.#sinceMs,
      retryInMs: this.#retryAtMs === null ? null : Math.max(0, Math.round(this.#retryAtMs - clock.nowMs())),
      lastError,
    });
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
