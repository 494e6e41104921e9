/** Deadlines for others: the time in which this process did not run is not theirs. */
import type { Clock, Timer } from "./clock.js";

/** A timer that fires so late was held up: by a stop (SIGSTOP, a paused container), or by a machine without time for us. */
const HELD_UP_MS = 1_000;

/**
 * Calls back once, `delayMs` from now or later: a timer that fires late gives the others as much time again, in all at
 * most `delayMs`: a machine without time for us must not put it off for ever. After a stop all timers fire at once, and
 * before what has come meanwhile is read.
 */
export function deadlineAfter(
  clock: Pick<Clock, "nowMs" | "after">,
  delayMs: number,
  callback: () => void,
): Timer {
  let dueMs = clock.nowMs() + delayMs;
  let leftMs = delayMs;
  const due = (): void => {
    const lateMs = clock.nowMs() - dueMs;
    if (lateMs < HELD_UP_MS || leftMs <= 0) {
      callback();
      return;
    }
    const moreMs = Math.min(lateMs, leftMs);
    leftMs -= moreMs;
    dueMs = clock.nowMs() + moreMs;
    timer = clock.after(moreMs, due);
  };
  let timer = clock.after(delayMs, due);
  return { cancel: () => timer.cancel() };
}
