/** The connection of one host over a run: attempts, the live host, its samples, the timer of the next attempt. */
import { hostErrorOf, type HostError } from "../contract/errors.js";
import type { Clock, Timer } from "../lib/clock.js";
import type { NewEvents } from "../remote/event-looks.js";
import type { Sample } from "../remote/session.js";
import type { HostRoute } from "./host-record.js";

/** A host that is connected and probed. */
export interface LiveHost {
  readonly route: HostRoute;
  /** Never rejects for what tools do; throws HostError when the connection is gone. */
  sample(tick: number): Promise<Sample>;
  /** Takes what the kernel log had that was in no frame yet; absent or null where it is not looked at. */
  takeEvents?(): NewEvents | null;
  /** Settles when the connection ends by itself. */
  readonly lost: Promise<HostError>;
  close(): Promise<void>;
}

export interface LinkOptions {
  /** Dial, handshake, probe and first sample. Throws HostError, or the signal's reason; anything else is a fault. */
  readonly reach: (signal: AbortSignal) => Promise<{ readonly live: LiveHost; readonly first: Sample }>;
  readonly clock: Clock;
  /** Takes exceptions that should not have been thrown: the host is then `disconnected` by `internal-error`. */
  readonly onFault?: (error: unknown) => void;
}

/** `nowMs` is when a sample arrived. */
export type LinkEvent =
  | { readonly kind: "retry" }
  | { readonly kind: "up"; readonly live: LiveHost; readonly first: Sample; readonly nowMs: number }
  | { readonly kind: "failed"; readonly error: HostError }
  | { readonly kind: "sampled"; readonly tick: number; readonly sample: Sample; readonly nowMs: number }
  | { readonly kind: "lost"; readonly live: LiveHost; readonly error: HostError };

export type LinkState =
  | { readonly kind: "connecting" }
  | { readonly kind: "up"; readonly live: LiveHost; readonly samplingTick: number | null }
  | { readonly kind: "down" };

/** Reports through events only; the reader of the events decides what follows. */
export class HostLink {
  readonly #options: LinkOptions;
  readonly #put: (event: LinkEvent) => void;
  #state: LinkState = { kind: "connecting" };
  #attempt: AbortController | null = null;
  /** Connected, while its `up` event is not handled yet. */
  #reached: LiveHost | null = null;
  #timer: Timer | null = null;

  constructor(options: LinkOptions, put: (event: LinkEvent) => void) {
    this.#options = options;
    this.#put = put;
  }

  get state(): LinkState {
    return this.#state;
  }

  /** Makes the first attempt after `delayMs`. */
  connectAfter(delayMs: number): void {
    this.#timer = this.#options.clock.after(delayMs, () => this.connect());
  }

  /** Puts `retry` after `delayMs`. */
  retryAfter(delayMs: number): void {
    this.#timer = this.#options.clock.after(delayMs, () => this.#put({ kind: "retry" }));
  }

  /** Begins an attempt; `up` or `failed` follows, unless it is aborted. */
  connect(): void {
    const { clock, reach } = this.#options;
    const attempt = new AbortController();
    const { signal } = attempt;
    this.#state = { kind: "connecting" };
    this.#timer = null;
    this.#attempt = attempt;
    settled(() => reach(signal)).then(
      ({ live, first }) => {
        if (signal.aborted) {
          void this.#close(live);
          return;
        }
        this.#attempt = null;
        this.#reached = live;
        this.#put({ kind: "up", live, first, nowMs: clock.nowMs() });
      },
      (error: unknown) => {
        if (signal.aborted) return;
        this.#attempt = null;
        this.#put({ kind: "failed", error: hostErrorOf(error, "dial") });
      },
    );
  }

  /** Handles `up`: the host is up from now on. False where it was dropped before its event was handled. */
  takeUp(live: LiveHost): boolean {
    if (this.#reached !== live) return false;
    this.#reached = null;
    this.#state = { kind: "up", live, samplingTick: null };
    const lost = (error: unknown): void =>
      this.#put({ kind: "lost", live, error: hostErrorOf(error, "sample") });
    live.lost.then(lost, lost);
    return true;
  }

  isUp(live: LiveHost): boolean {
    return this.#state.kind === "up" && this.#state.live === live;
  }

  /** Begins a sample; `sampled` or `lost` follows. */
  sample(live: LiveHost, tick: number): void {
    this.#state = { kind: "up", live, samplingTick: tick };
    const { clock } = this.#options;
    settled(() => live.sample(tick)).then(
      (sample) => this.#put({ kind: "sampled", tick, sample, nowMs: clock.nowMs() }),
      (error: unknown) => this.#put({ kind: "lost", live, error: hostErrorOf(error, "sample") }),
    );
  }

  /** The live host whose sample of `tick` is under way, or null. */
  samplerOf(tick: number): LiveHost | null {
    return this.#state.kind === "up" && this.#state.samplingTick === tick ? this.#state.live : null;
  }

  /** The sample under way has its record. */
  endSample(live: LiveHost): void {
    this.#state = { kind: "up", live, samplingTick: null };
  }

  /** Ends the attempt, the connection and the timer. Returns the tick whose sample was under way, or null. */
  drop(): number | null {
    const state = this.#state;
    this.#attempt?.abort();
    this.#attempt = null;
    this.#timer?.cancel();
    if (this.#reached !== null) void this.#close(this.#reached);
    this.#reached = null;
    this.#state = { kind: "down" };
    if (state.kind !== "up") return null;
    void this.#close(state.live);
    return state.samplingTick;
  }

  abortAttempt(reason: unknown): void {
    this.#attempt?.abort(reason);
  }

  /** The watch ends: waits until the connection is closed. */
  async end(): Promise<void> {
    this.#attempt?.abort();
    this.#timer?.cancel();
    if (this.#reached !== null) await this.#close(this.#reached);
    if (this.#state.kind === "up") await this.#close(this.#state.live);
  }

  async #close(live: LiveHost): Promise<void> {
    try {
      await live.close();
    } catch (error) {
      this.#options.onFault?.(error);
    }
  }
}

/** An exception that `begin` throws at once is a rejection, too. */
async function settled<Value>(begin: () => Promise<Value>): Promise<Value> {
  return await begin();
}
