/** An amount that grows with time, and is used up by what a server sends. */
import type { Clock } from "../../lib/clock.js";

const MINUTE_MS = 60_000;

export interface Rate {
  readonly perMinute: number;
  /** The amount at the start. */
  readonly first: number;
  /** What is kept at most. */
  readonly most: number;
}

/**
 * What is not used is kept up to a limit. So time during which this process was stopped, or its processor was taken, adds to
 * the amount: a server is not blamed for what piled up meanwhile.
 */
export class Allowance {
  #left: number;
  #atMs: number;

  constructor(
    private readonly clock: Clock,
    private readonly rate: Rate,
  ) {
    this.#left = rate.first;
    this.#atMs = clock.nowMs();
  }

  /** Whether `amount` was left. `shares`: how many times the allowance is given. */
  take(amount: number, shares = 1): boolean {
    const { perMinute, most } = this.rate;
    const now = this.clock.nowMs();
    const more = ((now - this.#atMs) / MINUTE_MS) * perMinute * shares;
    this.#atMs = now;
    this.#left = Math.min(most * shares, this.#left + more) - amount;
    return this.#left >= 0;
  }
}
