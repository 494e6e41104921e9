/** Time as the pipeline sees it: the only file that touches timers, so that tests run on a fake. */

/** A timer that is running; `cancel` is idempotent. */
export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Wall time in ms since the epoch: for timestamps only. */
  wallMs(): number;
  /** Monotonic ms: for every difference and deadline. */
  nowMs(): number;
  /** Ms for which the process has had nothing to do, in all: what passed otherwise was our own work. */
  idleMs(): number;
  /** Calls back once, `delayMs` from now. */
  after(delayMs: number, callback: () => void): Timer;
}

// setTimeout takes at most 2^31-1 ms; longer waits never fire in a run that anybody watches.
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
