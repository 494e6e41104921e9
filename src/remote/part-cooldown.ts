/** The parts that hung, or flooded us, in an earlier tick: they are not asked for a while, so that the rest keeps its beat. */
import type { Clock } from "../lib/clock.js";
import type { PartOutput } from "../shims/kit/shim.js";

const COOLDOWN_MS = 30_000;

interface Entry {
  readonly untilMs: number;
  /** A shell hangs in it: it stays until that one is free again. */
  readonly holdsShell: boolean;
  /** Stands for its answer meanwhile. */
  readonly output: PartOutput;
}

export class PartCooldown {
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(part: string, output: PartOutput, holdsShell: boolean): void {
    this.#entries.set(part, { untilMs: this.#clock.nowMs() + COOLDOWN_MS, holdsShell, output });
  }

  /** Drops those whose time is over. True when there were any. */
  expire(isStuck: boolean): boolean {
    const now = this.#clock.nowMs();
    const over = [...this.#entries].filter(
      ([, { untilMs, holdsShell }]) => now >= untilMs && !(holdsShell && isStuck),
    );
    for (const [part] of over) this.#entries.delete(part);
    return over.length > 0;
  }

  has(part: string): boolean {
    return this.#entries.has(part);
  }

  get outputs(): ReadonlyMap<string, PartOutput> {
    return new Map([...this.#entries].map(([part, { output }]) => [part, output]));
  }

  get isEmpty(): boolean {
    return this.#entries.size === 0;
  }
}
