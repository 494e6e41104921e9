/** When a costly command is asked: in one tick soon after the probe, and then in one of so many. */

/** How many ticks lie between two readings of a command that costs as much as a whole query. */
export const SELDOM_EVERY_TICKS = 240;

export class SeldomTicks {
  #isDue = false;
  #ticksAgo = 0;
  /** Not the probe's own sample, which also waits for what its sampler asks for next. */
  #ticksToNext = 2;

  /** Whether the next tick asks. */
  get isDue(): boolean {
    return this.#isDue;
  }

  /** How many ticks ago the last answer came; 0: in this one. */
  get ticksAgo(): number {
    return this.#ticksAgo;
  }

  /** A tick without an answer. */
  passed(): void {
    this.#ticksAgo += 1;
    this.#ticksToNext -= 1;
    this.#isDue = this.#ticksToNext <= 0;
  }

  /** A tick whose command answered, or failed: it is asked again as late as after any other. */
  answered(): void {
    this.#isDue = false;
    this.#ticksAgo = 0;
    this.#ticksToNext = SELDOM_EVERY_TICKS - 1;
  }
}
