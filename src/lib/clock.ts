/** The clock and timers of the pipeline: the only file that uses Node's timers, so that tests run on a fake clock. */

/** A running timer; `cancel` is idempotent. */
export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Wall time in ms since the epoch: for timestamps only. */
  wallMs(): number;
  /** Monotonic ms: for every difference and deadline. */
  nowMs(): number;
  /** Total ms for which the process has had nothing to do; the rest of the time was our own work. */
  idleMs(): number;
  /** Calls back once, `delayMs` from now. */
  after(delayMs: number, callback: () => void): Timer;
}

// setTimeout takes at most 2^31-1 ms, which is 24 days.
const MAX_TIMER_MS = 2_147_483_647;

export const realClock: Clock = {
  wallMs: () => Date.now(),
  nowMs: () => performance.now(),
  idleMs: () => performance.eventLoopUtilization().idle,
  after(delayMs, callback) {
    const handle = setTimeout(callback, Math.min(Math.max(0, delayMs), MAX_TIMER_MS));
    return { cancel: () => clearTimeout(handle) };
  },
};
