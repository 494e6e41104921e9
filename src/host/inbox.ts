/** Events for one reader, in order: what happens to a host while its generator is suspended. */
export class Inbox<Event> {
  readonly #events: Event[] = [];
  #wake: (() => void) | null = null;
  #isClosed = false;

  put(event: Event): void {
    if (this.#isClosed) return;
    this.#events.push(event);
    this.#wake?.();
  }

  /** The next event is null from now on. */
  close(): void {
    this.#isClosed = true;
    this.#events.length = 0;
    this.#wake?.();
  }

  /** Waits for the next event; null once closed. One caller at a time. */
  async take(): Promise<Event | null> {
    for (;;) {
      const event = this.#events.shift();
      if (event !== undefined) return event;
      if (this.#isClosed) return null;
      await new Promise<void>((resolve) => (this.#wake = resolve));
      this.#wake = null;
    }
  }
}
