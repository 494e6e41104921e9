/** One host for the length of a run: connect, probe, sample on the beat, and come back after what goes wrong. */
import { hostErrorOf, type HostError } from "../contract/errors.js";
import type { LastError, StreamRecord } from "../contract/record.js";
import type { Clock, Timer } from "../lib/clock.js";
import type { Sample } from "../remote/session.js";
import { retryDelayMs } from "./backoff.js";
import { HostStatus } from "./host-status.js";
import { EventRecords, type EventHandler } from "./event-records.js";
import { frameRecord, type HostIdentity, type HostRoute } from "./host-record.js";
import { Inbox } from "./inbox.js";
import { ReaderStall } from "./reader-stall.js";
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

export interface HostWatchOptions {
  readonly host: HostIdentity;
  /** Dial, handshake, probe and first sample. Throws HostError, or the signal's reason; anything else is a fault. */
  readonly reach: (signal: AbortSignal) => Promise<{ readonly live: LiveHost; readonly first: Sample }>;
  readonly ticks: Ticks;
  readonly clock: Clock;
  /** Waited before the first attempt, so that a large fleet does not dial all at once. */
  readonly startDelayMs: number;
  /** One record a host, no transitions, no retry: the failure is the answer. */
  readonly isOnce: boolean;
  readonly random: () => number;
  /** Takes what was thrown and should not have been: the host is then `disconnected` by `internal-error`. */
  readonly onFault?: (error: unknown) => void;
}

type Event =
  | { readonly kind: "tick" }
  | { readonly kind: "retry" }
  | { readonly kind: "up"; readonly live: LiveHost; readonly first: Sample; readonly nowMs: number }
  | { readonly kind: "failed"; readonly error: HostError }
  | { readonly kind: "sampled"; readonly tick: number; readonly sample: Sample; readonly nowMs: number }
  | { readonly kind: "lost"; readonly live: LiveHost; readonly error: HostError };

type Link =
  | { readonly kind: "connecting" }
  | { readonly kind: "up"; readonly live: LiveHost; readonly samplingTick: number | null }
  | { readonly kind: "down" };

/**
 * The host's records until the run's last tick, or until `signal` aborts. Resumed only after the last record was consumed:
 * ticks that pass meanwhile are skipped. What is thrown for the host is its state, whatever it is.
 */
export function watchHost(
  options: HostWatchOptions,
  signal: AbortSignal,
): AsyncIterableIterator<StreamRecord, void> {
  const { clock, ticks } = options;
  const inbox = new Inbox<Event>();
  const stall = new ReaderStall(clock, ticks);
  return new EventRecords(new HostWatch(options, signal, inbox, stall), inbox, stall);
}

class HostWatch implements EventHandler<Event> {
  readonly #options: HostWatchOptions;
  readonly #signal: AbortSignal;
  readonly #inbox: Inbox<Event>;
  readonly #stall: ReaderStall;
  /** The attempt that is under way; aborted when the watch ends, for whichever reason. */
  #attempt: AbortController | null = null;
  readonly #onAbort = (): void => {
    this.#inbox.close();
    this.#attempt?.abort(this.#signal.reason);
  };
  readonly #onTickDue = (): void => this.#inbox.put({ kind: "tick" });
  readonly #condition: HostStatus;
  #link: Link = { kind: "connecting" };
  /** Connected, and not yet heard of: its event is still in the inbox. */
  #reached: LiveHost | null = null;
  #route: HostRoute | null = null;
  #tickTimer: Timer | null = null;
  #retryTimer: Timer | null = null;
  /** A tick that has begun and has no record yet, and no sample under way for it. */
  #owed: number | null = null;
  #nextTick = 0;

  constructor(options: HostWatchOptions, signal: AbortSignal, inbox: Inbox<Event>, stall: ReaderStall) {
    this.#options = options;
    this.#signal = signal;
    this.#inbox = inbox;
    this.#stall = stall;
    this.#condition = new HostStatus(options.host, options.clock);
  }

  *begin(): Generator<StreamRecord, void> {
    this.#signal.addEventListener("abort", this.#onAbort);
    if (this.#signal.aborted) this.#onAbort();
    yield* this.#transition();
    if (this.#inbox.isClosed) return;
    this.#retryTimer = this.#options.clock.after(this.#options.startDelayMs, () => this.#connect());
    this.#armTick(0);
  }

  async end(): Promise<void> {
    this.#signal.removeEventListener("abort", this.#onAbort);
    this.#inbox.close();
    this.#attempt?.abort();
    this.#tickTimer?.cancel();
    this.#retryTimer?.cancel();
    if (this.#reached !== null) await this.#close(this.#reached);
    if (this.#link.kind === "up") await this.#close(this.#link.live);
  }

  isDone(): boolean {
    const sampling = this.#link.kind === "up" && this.#link.samplingTick !== null;
    return this.#nextTick > this.#options.ticks.last && this.#owed === null && !sampling;
  }

  *on(event: Event): Generator<StreamRecord, void> {
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
        return yield* this.#giveUp(event.error);
    }
  }

  *onFault(error: unknown): Generator<StreamRecord, void> {
    yield* this.#giveUp(hostErrorOf(error, "sample"));
  }

  // ---- ticks

  #armTick(tick: number): void {
    const { ticks } = this.#options;
    if (tick <= ticks.last + 1) this.#tickTimer = ticks.onBegin(tick, this.#onTickDue);
  }

  *#onTick(): Generator<StreamRecord, void> {
    yield* this.#settleOwed();
    const { ticks } = this.#options;
    if (ticks.now() < this.#nextTick) {
      this.#armTick(this.#nextTick);
      return;
    }
    const tick = this.#stall.dueTick(this.#nextTick);
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
    promised(() => live.sample(tick)).then(
      (sample) => this.#inbox.put({ kind: "sampled", tick, sample, nowMs: clock.nowMs() }),
      (error: unknown) => this.#inbox.put({ kind: "lost", live, error: hostErrorOf(error, "sample") }),
    );
  }

  *#onSampled(event: Event & { readonly kind: "sampled" }): Generator<StreamRecord, void> {
    if (this.#link.kind !== "up" || this.#link.samplingTick !== event.tick) return;
    const { live } = this.#link;
    this.#route = live.route;
    const frame = this.#stall.isStale(event.nowMs)
      ? null
      : this.#frame(live, event.tick, event.sample, event.nowMs);
    // Not before: the tick is owed for as long as it may have no frame.
    this.#link = { kind: "up", live, samplingTick: null };
    if (frame !== null) yield frame;
  }

  // ---- connection

  #connect(): void {
    const { clock, reach } = this.#options;
    const attempt = new AbortController();
    const { signal } = attempt;
    this.#retryTimer = null;
    this.#attempt = attempt;
    promised(() => reach(signal)).then(
      ({ live, first }) => {
        if (signal.aborted) {
          void this.#close(live);
          return;
        }
        this.#attempt = null;
        this.#reached = live;
        this.#inbox.put({ kind: "up", live, first, nowMs: clock.nowMs() });
      },
      (error: unknown) => {
        if (signal.aborted) return;
        this.#attempt = null;
        this.#inbox.put({ kind: "failed", error: hostErrorOf(error, "dial") });
      },
    );
  }

  *#onUp({ live, first, nowMs }: Event & { readonly kind: "up" }): Generator<StreamRecord, void> {
    // It was given up before its event was read.
    if (this.#reached !== live) return;
    this.#link = { kind: "up", live, samplingTick: null };
    this.#reached = null;
    this.#route = live.route;
    const lost = (error: unknown): void =>
      this.#inbox.put({ kind: "lost", live, error: hostErrorOf(error, "sample") });
    live.lost.then(lost, lost);
    this.#condition.connected();
    yield* this.#transition();
    const tick = this.#owed;
    if (tick === null) return;
    const frame = this.#stall.isStale(nowMs) ? null : this.#frame(live, tick, first, nowMs);
    this.#owed = null;
    if (frame === null) this.#sample(live, tick);
    else yield frame;
  }

  /** Whatever is connected or under way is let go of. */
  *#giveUp(error: HostError): Generator<StreamRecord, void> {
    this.#attempt?.abort();
    this.#attempt = null;
    this.#retryTimer?.cancel();
    if (this.#reached !== null) void this.#close(this.#reached);
    this.#reached = null;
    if (this.#link.kind === "up") {
      this.#owed ??= this.#link.samplingTick;
      void this.#close(this.#link.live);
    }
    yield* this.#onFailure(error);
  }

  async #close(live: LiveHost): Promise<void> {
    try {
      await live.close();
    } catch (error) {
      this.#options.onFault?.(error);
    }
  }

  *#onFailure(error: HostError): Generator<StreamRecord, void> {
    const { clock, isOnce, random } = this.#options;
    if (error.failure.code === "internal-error") this.#options.onFault?.(error.cause ?? error);
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

/** What throws at once rejects, too. */
async function promised<Value>(begin: () => Promise<Value>): Promise<Value> {
  return await begin();
}

function overrun(tick: number): LastError {
  return {
    code: "sample-overrun",
    phase: "sample",
    message: `the sample of tick ${tick} is still under way`,
    fix: "a longer --interval, or see on the host why its tool takes so long",
  };
}
