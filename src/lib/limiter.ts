/** Bounds how many of something run at once, first come first served. */

/** Gives the permit back; idempotent. */
export type Release = () => void;

export class Limiter {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(readonly permits: number) {
    this.#free = permits;
  }

  /** Nobody holds a permit or waits for one. */
  get idle(): boolean {
    return this.#free === this.permits && this.#waiting.length === 0;
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
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    };
  }

  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const granted = (): void => {
        signal.removeEventListener("abort", aborted);
        resolve();
      };
      const aborted = (): void => {
        const place = this.#waiting.indexOf(granted);
        if (place >= 0) this.#waiting.splice(place, 1);
        reject(signal.reason as Error);
      };
      this.#waiting.push(granted);
      signal.addEventListener("abort", aborted, { once: true });
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
