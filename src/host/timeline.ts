/** One host for the length of a run: a record for each tick and each transition, and retries after failures. */
import { hostErrorOf, type HostError } from "../contract/errors.js";
import type { LastError, StreamRecord } from "../contract/record.js";
import { onAbort } from "../lib/abort.js";
import type { Timer } from "../lib/clock.js";
import type { Sample } from "../remote/session.js";
import type { EventHandler, Inbox } from "./event-records.js";
import { frameRecord, withEvents, type HostIdentity, type HostRoute } from "./host-record.js";
import { HostStatus } from "./host-status.js";
import { HostLink, type LinkEvent, type LinkOptions, type LiveHost } from "./link.js";
import type { ReaderStall } from "./reader-stall.js";
import type { Ticks } from "./ticks.js";
import { UnrecordedTicks } from "./unrecorded-ticks.js";

export interface HostWatchOptions extends LinkOptions {
  readonly host: HostIdentity;
  readonly ticks: Ticks;
  /** Waited before the first attempt, so that a large fleet does not dial all at once. */
  readonly startDelayMs: number;
  /** The first tick that has a record; that of the time when a host joins a run. */
  readonly firstTick?: number;
  /** One record a host, no transitions, no retry: a failure is the host's record. */
  readonly isOnce: boolean;
  /** In [0, 1). */
  readonly random: () => number;
}

export type TimelineEvent =
  { readonly kind: "tick" } | { readonly kind: "removed"; readonly message: string } | LinkEvent;

/** The events of one host in their order, and the records that each of them makes. */
export class HostTimeline implements EventHandler<TimelineEvent> {
  readonly #options: HostWatchOptions;
  readonly #signal: AbortSignal;
  readonly #inbox: Inbox<TimelineEvent>;
  readonly #stall: ReaderStall;
  readonly #status: HostStatus;
  readonly #link: HostLink;
  readonly #onTickDue = (): void => this.#inbox.put({ kind: "tick" });
  /** How the host was read last. */
  #route: HostRoute | null = null;
  #tickTimer: Timer | null = null;
  /** Takes the listener off the run's signal. */
  #stopListening: (() => void) | null = null;
  /** A tick that has begun and has no record yet, and no sample under way for it. */
  #owed: number | null = null;
  #nextTick: number;
  #host: HostIdentity;
  #isRemoved = false;
  #settleEnded: () => void = () => undefined;
  readonly ended = new Promise<void>((resolve) => (this.#settleEnded = resolve));
  readonly #skipped = new UnrecordedTicks();

  constructor(
    options: HostWatchOptions,
    signal: AbortSignal,
    inbox: Inbox<TimelineEvent>,
    stall: ReaderStall,
  ) {
    this.#options = options;
    this.#host = options.host;
    this.#nextTick = options.firstTick ?? 0;
    this.#signal = signal;
    this.#inbox = inbox;
    this.#stall = stall;
    this.#status = new HostStatus(options.host, options.clock);
    this.#link = new HostLink(options, (event) => inbox.put(event));
  }

  *begin(): Generator<StreamRecord, void> {
    this.#stopListening = onAbort(this.#signal, (reason) => {
      this.#inbox.close();
      this.#link.abortAttempt(reason);
    });
    yield* this.#transition();
    if (this.#inbox.isClosed) return;
    this.#link.connectAfter(this.#options.startDelayMs);
    this.#armTick(this.#nextTick);
  }

  async end(): Promise<void> {
    this.#stopListening?.();
    this.#inbox.close();
    this.#tickTimer?.cancel();
    await this.#link.end().finally(this.#settleEnded);
  }

  rename(host: HostIdentity): void {
    this.#host = host;
    this.#status.rename(host);
  }

  isDone(): boolean {
    if (this.#isRemoved) return true;
    const { state } = this.#link;
    const isSampling = state.kind === "up" && state.samplingTick !== null;
    return this.#nextTick > this.#options.ticks.last && this.#owed === null && !isSampling;
  }

  *on(event: TimelineEvent): Generator<StreamRecord, void> {
    switch (event.kind) {
      case "tick":
        return yield* this.#onTick();
      case "removed":
        this.#isRemoved = true;
        this.#status.removed({ code: "removed", phase: "sample", message: event.message });
        return yield* this.#transition();
      case "retry":
        this.#status.retrying();
        yield* this.#transition();
        this.#link.connect();
        return;
      case "up":
        return yield* this.#onUp(event);
      case "failed":
        return yield* this.#onFailure(event.error);
      case "sampled":
        return yield* this.#onSampled(event);
      case "lost":
        if (this.#link.isUp(event.live)) yield* this.#onFailure(event.error);
    }
  }

  *onFault(error: unknown): Generator<StreamRecord, void> {
    yield* this.#onFailure(hostErrorOf(error, "sample"));
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
    const next = this.#nextTick;
    if (next > ticks.last) return;
    // Ticks that passed while the reader was stalled are skipped, but for the last one: its record has the others.
    const tick = Math.min(this.#stall.dueTick(next), ticks.last);
    this.#armTick(tick + 1);
    this.#nextTick = tick + 1;
    if (tick > next) this.#skipped.add(next, tick - 1, this.#stall.reasonFor(next));
    const { state } = this.#link;
    switch (state.kind) {
      case "connecting":
        this.#owed = tick;
        return;
      case "down":
        yield this.#skipped.nameIn(this.#status.record(this.#route, tick));
        return;
      case "up":
        if (state.samplingTick === null) this.#link.sample(state.live, tick);
        else yield this.#skipped.nameIn(this.#status.record(this.#route, tick, overrun(state.samplingTick)));
    }
  }

  *#onSampled({
    tick,
    sample,
    nowMs,
  }: LinkEvent & { readonly kind: "sampled" }): Generator<StreamRecord, void> {
    const live = this.#link.samplerOf(tick);
    if (live === null) return;
    this.#route = live.route;
    // Only where a later tick's record can name it.
    const isSkipped = this.#stall.isStale(nowMs) && this.#nextTick <= this.#options.ticks.last;
    const frame = isSkipped ? null : this.#frame(live, tick, sample, nowMs);
    // Not before: where making the frame throws, the tick still needs a record.
    this.#link.endSample(live);
    if (frame === null) this.#skipped.add(tick, tick, "reader-stalled");
    else yield this.#skipped.nameIn(frame);
  }

  // ---- connection

  *#onUp({ live, first, nowMs }: LinkEvent & { readonly kind: "up" }): Generator<StreamRecord, void> {
    if (!this.#link.takeUp(live)) return;
    this.#route = live.route;
    this.#status.connected();
    yield* this.#transition();
    const tick = this.#owed;
    if (tick === null) return;
    const frame = this.#stall.isStale(nowMs) ? null : this.#frame(live, tick, first, nowMs);
    this.#owed = null;
    if (frame === null) this.#link.sample(live, tick);
    else yield this.#skipped.nameIn(frame);
  }

  *#onFailure(error: HostError): Generator<StreamRecord, void> {
    const { isOnce, random, onFault } = this.#options;
    if (error.failure.code === "internal-error") onFault?.(error.cause ?? error);
    const samplingTick = this.#link.drop();
    this.#owed ??= samplingTick;
    const retryInMs = this.#status.failed(error, isOnce ? null : random);
    if (retryInMs !== null) this.#link.retryAfter(retryInMs);
    yield* this.#transition();
    yield* this.#settleOwed();
  }

  // ---- records

  *#transition(): Generator<StreamRecord, void> {
    if (!this.#options.isOnce) yield this.#status.record(this.#route, null);
  }

  /** The tick that got no reading has the state as its record. */
  *#settleOwed(): Generator<StreamRecord, void> {
    const tick = this.#owed;
    this.#owed = null;
    if (tick !== null) yield this.#skipped.nameIn(this.#status.record(this.#route, tick));
  }

  #frame(live: LiveHost, tick: number, { reading, latencyMs }: Sample, arrivedMs: number): StreamRecord {
    const { clock } = this.#options;
    const host = this.#host;
    const wallMs = clock.wallMs() - (clock.nowMs() - arrivedMs);
    // Taken only here: a sample that makes no frame must not lose events.
    const events = live.takeEvents?.() ?? null;
    const whole = events === null ? reading : withEvents(reading, events);
    return frameRecord(host, live.route, wallMs, tick, whole, latencyMs);
  }
}

function overrun(tick: number): LastError {
  return {
    code: "sample-overrun",
    phase: "sample",
    message: `the sample of tick ${tick} is still under way`,
    fix: "use a longer --interval, or find out on the host why its tool is so slow",
  };
}
