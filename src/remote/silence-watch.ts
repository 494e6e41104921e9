/** How long a host may send nothing while a tick's question is open, and when the question is given up. */
import type { Connection } from "../contract/connection.js";
import type { Clock, Timer } from "../lib/clock.js";
import { deadlineAfter } from "../lib/deadline.js";

export interface LaneTiming {
  readonly clock: Clock;
  readonly toolTimeoutSecs: number;
}

/** Beyond a part's own deadline: `timeout -k 1`, a busy host, the network. */
const SILENCE_SLACK_MS = 4000;
/** A part's own deadline has passed: within this time the connection shows that it is alive, or it is lost. */
const CONFIRM_MS = 3500;
/** A host that never falls silent and never ends is given up after so many times the longest silence. */
const MAX_SILENCES = 4;

/**
 * One timer a question: when it fires and data came meanwhile, it is set again for the rest. It fires first when a part is
 * late: whether the shell hangs or the whole host is frozen, the connection knows.
 */
export class SilenceWatch {
  readonly #timing: LaneTiming;
  readonly #connection: Connection;
  readonly #onGivenUp: () => void;
  readonly #begunAt: number;
  #lastDataAt: number;
  #timer: Timer | null = null;

  /** Begins now. Calls `onGivenUp` once, unless `end` is called before. */
  constructor(timing: LaneTiming, connection: Connection, onGivenUp: () => void) {
    this.#timing = timing;
    this.#connection = connection;
    this.#onGivenUp = onGivenUp;
    this.#begunAt = timing.clock.nowMs();
    this.#lastDataAt = this.#begunAt;
    this.#arm(false);
  }

  /** The host sent something, at this time of the clock. */
  dataAt(nowMs: number): void {
    this.#lastDataAt = nowMs;
  }

  end(): void {
    this.#timer?.cancel();
  }

  #arm(isConfirmed: boolean): void {
    const { clock } = this.#timing;
    const next = isConfirmed ? this.#deadline() : Math.min(this.#lateAt(), this.#deadline());
    this.#timer = deadlineAfter(clock, next - clock.nowMs(), () => {
      const now = clock.nowMs();
      if (now >= this.#deadline()) {
        this.#onGivenUp();
        return;
      }
      const isLate = now >= this.#lateAt();
      if (isLate && !isConfirmed) this.#connection.confirm?.(CONFIRM_MS);
      this.#arm(isLate);
    });
  }

  /** When the deadline of the part that is under way has passed. */
  #lateAt(): number {
    return this.#lastDataAt + this.#timing.toolTimeoutSecs * 1000;
  }

  #deadline(): number {
    const silenceMs = this.#timing.toolTimeoutSecs * 1000 + SILENCE_SLACK_MS;
    return Math.min(this.#lastDataAt + silenceMs, this.#begunAt + MAX_SILENCES * silenceMs);
  }
}
