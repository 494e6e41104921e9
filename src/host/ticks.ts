/** The tick schedule that all hosts of a run share: tick k begins k intervals after the run did. */
import type { RunLength } from "../contract/options.js";
import type { Clock, Timer } from "../lib/clock.js";

export class Ticks {
  readonly #clock: Clock;
  readonly #beginMs: number;
  readonly #intervalMs: number;
  /** The callbacks that wait for a tick, and the timer that they share. */
  readonly #waiting = new Map<number, { readonly timer: Timer; readonly callbacks: Set<() => void> }>();
  /** The number of the last tick, or infinity. */
  readonly last: number;

  /** With `once` the first tick has no end: its record is the host's answer or failure, however late. */
  constructor(clock: Clock, intervalMs: number, length: RunLength, beginMs = clock.nowMs()) {
    this.#clock = clock;
    this.#beginMs = beginMs;
    this.#intervalMs = length.kind === "once" ? Infinity : intervalMs;
    this.last = length.kind === "endless" ? Infinity : length.kind === "once" ? 0 : length.ticks - 1;
  }

  /** The tick that is current at `nowMs`. */
  at(nowMs: number): number {
    if (this.#intervalMs === Infinity) return 0;
    return Math.max(0, Math.floor((nowMs - this.#beginMs) / this.#intervalMs));
  }

  now(): number {
    return this.at(this.#clock.nowMs());
  }

  /** Calls back once when `tick` begins; null when it never does. The same callback waits once for the same tick. */
  onBegin(tick: number, callback: () => void): Timer | null {
    const waitMs = this.#untilMs(tick);
    if (waitMs === Infinity) return null;
    let waiting = this.#waiting.get(tick);
    if (waiting === undefined) {
      const timer = this.#clock.after(waitMs, () => this.#begun(tick));
      waiting = { timer, callbacks: new Set() };
      this.#waiting.set(tick, waiting);
    }
    waiting.callbacks.add(callback);
    return { cancel: () => this.#cancel(tick, callback) };
  }

  #begun(tick: number): void {
    const callbacks = this.#waiting.get(tick)?.callbacks ?? [];
    this.#waiting.delete(tick);
    for (const callback of callbacks) callback();
  }

  #cancel(tick: number, callback: () => void): void {
    const waiting = this.#waiting.get(tick);
    if (waiting?.callbacks.delete(callback) !== true || waiting.callbacks.size > 0) return;
    waiting.timer.cancel();
    this.#waiting.delete(tick);
  }

  /** Milliseconds until `tick` begins, at least 0; infinity when it never does. */
  #untilMs(tick: number): number {
    if (this.#intervalMs === Infinity) return tick === 0 ? 0 : Infinity;
    // Half a millisecond late rather than early: a timer that fires early would find the tick before.
    return Math.max(0, this.#beginMs + tick * this.#intervalMs - this.#clock.nowMs() + 0.5);
  }
}
