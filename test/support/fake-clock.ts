/** A clock that moves only when the test advances it. */
import type { Clock, Timer } from "../../src/lib/clock.js";

interface Due {
  readonly atMs: number;
  readonly callback: () => void;
}

export class FakeClock implements Clock {
  #nowMs = 0;
  #workedMs = 0;
  #due: Due[] = [];

  wallMs(): number {
    return Date.UTC(2026, 0, 1) + this.#nowMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  idleMs(): number {
    return this.#nowMs - this.#workedMs;
  }

  /** Keeps the process busy: time passes, and nothing that becomes due meanwhile is looked at. */
  work(ms: number): void {
    this.#nowMs += ms;
    this.#workedMs += ms;
  }

  after(delayMs: number, callback: () => void): Timer {
    const due = { atMs: this.#nowMs + Math.max(0, delayMs), callback };
    this.#due.push(due);
    return { cancel: () => (this.#due = this.#due.filter((each) => each !== due)) };
  }

  get timers(): number {
    return this.#due.length;
  }

  /** Moves on, firing what becomes due in order and letting promises settle between. */
  async advance(ms: number): Promise<void> {
    const end = this.#nowMs + ms;
    await settle();
    for (;;) {
      const next = this.#due.filter((each) => each.atMs <= end).sort((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined) break;
      this.#due = this.#due.filter((each) => each !== next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.callback();
      await settle();
    }
    this.#nowMs = end;
  }
}

/** Lets everything that is ready run. */
async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise<void>((resolve) => setImmediate(resolve));
}
