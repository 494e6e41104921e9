/** When the reader of a host's records has slept: what came meanwhile is old, and ticks that passed are skipped. */
import type { Clock } from "../lib/clock.js";
import type { Ticks } from "./ticks.js";

/** A reader that has us wait longer for it, with nothing else to do, has stalled. */
const STALL_MS = 250;
/** After a longer sleep than this (a laptop's lid, SIGSTOP) the ticks that passed are skipped. */
const MAX_LATE_TICKS = 30;

export class ReaderStall {
  readonly #clock: Clock;
  readonly #ticks: Ticks;
  /** How long we had been idle when the reader was given the record that it has not come back from. */
  #givenAtIdleMs: number | null = null;
  /** When the reader came back from its last stall. */
  #wokeMs = -Infinity;

  constructor(clock: Clock, ticks: Ticks) {
    this.#clock = clock;
    this.#ticks = ticks;
  }

  /** The reader is given a record. */
  recordGiven(): void {
    this.#givenAtIdleMs = this.#clock.idleMs();
  }

  /** It comes for the next one. */
  cameBack(): void {
    const givenAtIdleMs = this.#givenAtIdleMs;
    this.#givenAtIdleMs = null;
    if (givenAtIdleMs === null || this.#clock.idleMs() - givenAtIdleMs <= STALL_MS) return;
    this.#wokeMs = this.#clock.nowMs();
  }

  /**
   * The tick to begin now, of which `next` has not begun. A reader that slept wants what was fresh when it woke; where we
   * were late ourselves, every tick still has its record.
   */
  dueTick(next: number): number {
    const now = this.#ticks.now();
    const fresh = now - next > MAX_LATE_TICKS ? now : Math.min(now, this.#ticks.at(this.#wokeMs));
    return Math.max(fresh, next);
  }

  /** Arrived in a window that a stalled reader slept through: it wants a fresh sample, not this one. */
  isStale(arrivedMs: number): boolean {
    return arrivedMs <= this.#wokeMs && this.#ticks.now() > this.#ticks.at(arrivedMs) + 1;
  }
}
