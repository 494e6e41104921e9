/** Events for one reader, in order: what happens to a host while nobody reads its records. */
export class Inbox<Event> {
  readonly #events: Event[] = [];
  #wake: (() => void) | null = null;
  #isClosed = false;

  get isClosed(): boolean {
    return this.#isClosed;
  }

  put(event: Event): void {
    if (this.#isClosed) return;
    this.#events.push(event);
    this.#wakeReader();
  }

  /** Nothing is there to be taken from now on. */
  close(): void {
    this.#isClosed = true;
    this.#events.length = 0;
    this.#wakeReader();
  }

  /** The next event, if one is there. */
  take(): Event | undefined {
    return this.#events.shift();
  }

  /** Settles with the next event, or once closed. One caller at a time, that found nothing to take. */
  arrival(): Promise<void> {
    return new Promise((resolve) => (this.#wake = resolve));
  }

  #wakeReader(): void {
    this.#wake?.();
    this.#wake = null;
  }
}
