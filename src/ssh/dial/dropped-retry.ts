/**
 * Another attempt after sshd dropped a connection: it does so at random when too many are unauthenticated (MaxStartups
 * in sshd_config(5)), and the next attempt may well succeed.
 */
import { pause } from "../../lib/abort.js";
import type { Clock } from "../../lib/clock.js";

const MAX_RETRIES = 5;
const FIRST_BACKOFF_MS = 150;

export interface DroppedRetry {
  readonly clock: Clock;
  /** A number in [0, 1): spreads the attempts of many hosts over time. */
  readonly random: () => number;
  /** Whether an attempt's error is such a drop. All other errors are thrown at once. */
  readonly isDropped: (error: unknown) => boolean;
  /** No retry begins later than this, by the monotonic clock; absent: no such limit. */
  readonly untilMs?: number;
}

/**
 * Runs `attempt` until it succeeds, at most six times. Waits between attempts: 150 ms at first, doubled each time, times
 * a random factor of 0.5 to 1.5. Throws the last attempt's error, or the signal's reason.
 */
export async function retryDropped<Value>(
  attempt: () => Promise<Value>,
  { clock, random, isDropped, untilMs = Number.POSITIVE_INFINITY }: DroppedRetry,
  signal: AbortSignal,
): Promise<Value> {
  for (let retries = 0; ; retries++) {
    try {
      return await attempt();
    } catch (error) {
      if (!isDropped(error) || retries === MAX_RETRIES) throw error;
      const backoffMs = FIRST_BACKOFF_MS * 2 ** retries * (0.5 + random());
      if (clock.nowMs() + backoffMs > untilMs) throw error;
      await pause(clock, backoffMs, signal);
    }
  }
}
