/** The events of one host, and the records that they lead to, one at a time as the reader asks for them. */
import type { StreamRecord } from "../contract/record.js";
import type { ReaderStall } from "./reader-stall.js";

/** Events for one reader, in order: they wait here while nobody reads the host's records. */
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

  /** Drops what is in it and takes nothing more. */
  close(): void {
    this.#isClosed = true;
    this.#events.length = 0;
    this.#wakeReader();
  }

  /** The next event, if there is one. */
  take(): Event | undefined {
    return this.#events.shift();
  }

  /** Settles with the next event, or once closed. For one caller at a time, after `take` returned nothing. */
  arrival(): Promise<void> {
    return new Promise((resolve) => (this.#wake = resolve));
  }

  #wakeReader(): void {
    this.#wake?.();
    this.#wake = null;
  }
}

/** Makes the records. An exception of `begin` and `on` is passed to `onFault`. */
export interface EventHandler<Event> {
  /** The records that come before any event. */
  begin(): Generator<StreamRecord, void>;
  on(event: Event): Generator<StreamRecord, void>;
  /** The records that an exception of `begin` or `on` leads to. */
  onFault(error: unknown): Generator<StreamRecord, void>;
  /** No event will lead to another record. */
  isDone(): boolean;
  /** Called once, after the last record, for whatever reason it is the last. */
  end(): Promise<void>;
}

/**
 * Ends when the handler is done or the inbox is closed. Not a generator: a suspended one keeps the last record and the
 * sample behind it in memory, for every host of a fleet.
 */
export class EventRecords<Event> implements AsyncIterableIterator<StreamRecord, void> {
  readonly #handler: EventHandler<Event>;
  readonly #inbox: Inbox<Event>;
  readonly #stall: ReaderStall;
  /** The records of the current event. */
  #records: Generator<StreamRecord, void> | null;
  #ending: Promise<void> | null = null;

  constructor(handler: EventHandler<Event>, inbox: Inbox<Event>, stall: ReaderStall) {
    this.#handler = handler;
    this.#inbox = inbox;
    this.#stall = stall;
    this.#records = handler.begin();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<StreamRecord, void>> {
    this.#stall.cameBack();
    try {
      while (this.#ending === null) {
        const result = this.#nextRecord();
        if (result?.done === false) {
          this.#stall.recordGiven();
          return result;
        }
        this.#records = null;
        if (this.#handler.isDone()) break;
        const event = this.#inbox.take();
        if (event !== undefined) this.#records = this.#handler.on(event);
        else if (this.#inbox.isClosed) break;
        else await this.#inbox.arrival();
      }
    } catch (error) {
      await this.#end();
      throw error;
    }
    return this.return();
  }

  #nextRecord(): IteratorResult<StreamRecord, void> | undefined {
    try {
      return this.#records?.next();
    } catch (error) {
      this.#records = this.#handler.onFault(error);
      return this.#records.next();
    }
  }

  async return(): Promise<IteratorResult<StreamRecord, void>> {
    await this.#end();
    return { done: true, value: undefined };
  }

  #end(): Promise<void> {
    this.#records = null;
    this.#ending ??= this.#handler.end();
    return this.#ending;
  }
}
