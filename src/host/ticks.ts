/** The beat that all hosts of a run share: tick k begins k intervals after the run did. */
import type { RunLength } from "../options.js";
import type { Clock } from "../lib/clock.js";

export class Ticks {
  readonly #clock: Clock;
  readonly #beginMs: number;
  readonly #intervalMs: number;
  /** The number of the last tick, or infinity. */
  readonly last: number;

  /** A run of one tick has a first window without an end: its record is the host's answer or failure, however late. */
  constructor(clock: Clock, intervalMs: number, length: RunLength, beginMs = clock.nowMs()) {
    this.#clock = clock;
    this.#beginMs = beginMs;
    this.#intervalMs = length.kind === "once" ? Infinity : intervalMs;
    this.last = length.kind === "endless" ? Infinity : length.kind === "once" ? 0 : length.ticks - 1;
  }

  /** The tick whose window `nowMs` is in. */
  at(nowMs: number): number {
    if (this.#intervalMs === Infinity) return 0;
    return Math.max(0, Math.floor((nowMs - this.#beginMs) / this.#intervalMs));
  }

  now(): number {
    return this.at(this.#clock.nowMs());
  }

  /** Milliseconds until `tick` begins, at least 0; infinity when it never does. */
  untilMs(tick: number): number {
    if (this.#intervalMs === Infinity) return tick === 0 ? 0 : Infinity;
    // Half a millisecond late rather than early: a timer that fires early would find the window before.
    return Math.max(0, this.#beginMs + tick * this.#intervalMs - this.#clock.nowMs() + 0.5);
  }
}
