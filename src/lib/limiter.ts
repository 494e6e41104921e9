/** Bounds how many of something run at once, first come first served. */
import { abortable } from "./abort.js";

/** Gives the permit back; idempotent. */
export type Release = () => void;

export class Limiter {
  #free: number;
  /** In the order of arrival. A set, so that one of thousands leaves without a search. */
  readonly #waiting = new Set<() => void>();

  constructor(readonly permits: number) {
    this.#free = permits;
  }

  /** Nobody holds a permit or waits for one. */
  get idle(): boolean {
    return this.#free === this.permits && this.#waiting.size === 0;
  }

  /** Waits for a permit. Throws the signal's reason, holding none. */
  async acquire(signal: AbortSignal): Promise<Release> {
    signal.throwIfAborted();
    if (this.#free > 0) this.#free -= 1;
    else await this.#turn(signal);
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      const [next] = this.#waiting;
      if (next === undefined) this.#free += 1;
      else next();
    };
  }

  #turn(signal: AbortSignal): Promise<void> {
    return abortable(signal, ({ resolve }) => {
      this.#waiting.add(resolve);
      return () => void this.#waiting.delete(resolve);
    });
  }
}

/** One limiter a key, kept only while it is in use. */
export class KeyedLimiter {
  readonly #limiters = new Map<string, Limiter>();

  constructor(readonly permits: number) {}

  async acquire(key: string, signal: AbortSignal): Promise<Release> {
    const limiter = this.#limiters.get(key) ?? new Limiter(this.permits);
    this.#limiters.set(key, limiter);
    try {
      const release = await limiter.acquire(signal);
      return () => {
        release();
        this.#forget(key, limiter);
      };
    } catch (error) {
      this.#forget(key, limiter);
      throw error;
    }
  }

  #forget(key: string, limiter: Limiter): void {
    if (limiter.idle && this.#limiters.get(key) === limiter) this.#limiters.delete(key);
  }
}
