/** Whether the reader of a host's records has stalled: what came meanwhile is old, and ticks that passed are skipped. */
import type { SkippedTicks } from "../contract/record.js";
import type { Clock } from "../lib/clock.js";
import type { Ticks } from "./ticks.js";

/** A reader has stalled when the process was idle for longer than this before it came back. */
const STALL_MS = 250;
/** After a longer pause than this (a laptop's lid, SIGSTOP) the ticks that passed are skipped. */
const MAX_LATE_TICKS = 30;

export class ReaderStall {
  readonly #clock: Clock;
  readonly #ticks: Ticks;
  /** The idle time of the process when the reader got its last record; null once it came back. */
  #givenAtIdleMs: number | null = null;
  /** When the reader came back from its last stall. */
  #wokeMs = -Infinity;

  constructor(clock: Clock, ticks: Ticks) {
    this.#clock = clock;
    this.#ticks = ticks;
  }

  /** The reader gets a record. */
  recordGiven(): void {
    this.#givenAtIdleMs = this.#clock.idleMs();
  }

  /** The reader asks for the next record. */
  cameBack(): void {
    const givenAtIdleMs = this.#givenAtIdleMs;
    this.#givenAtIdleMs = null;
    if (givenAtIdleMs === null || this.#clock.idleMs() - givenAtIdleMs <= STALL_MS) return;
    this.#wokeMs = this.#clock.nowMs();
  }

  /** Why ticks from `next` on were skipped, when `dueTick` has skipped any. */
  reasonFor(next: number): SkippedTicks["reason"] {
    return this.#ticks.at(this.#wokeMs) > next ? "reader-stalled" : "run-stalled";
  }

  /**
   * The tick to begin now; `next` is the first that has not begun. A reader that stalled gets the tick of the time when it
   * came back. Where the delay was this process's own work, every tick still has its record.
   */
  dueTick(next: number): number {
    const now = this.#ticks.now();
    const fresh = now - next > MAX_LATE_TICKS ? now : Math.min(now, this.#ticks.at(this.#wokeMs));
    return Math.max(fresh, next);
  }

  /** The sample arrived while the reader was stalled, more than a tick ago: the reader gets a fresh one instead. */
  isStale(arrivedMs: number): boolean {
    return arrivedMs <= this.#wokeMs && this.#ticks.now() > this.#ticks.at(arrivedMs) + 1;
  }
}
