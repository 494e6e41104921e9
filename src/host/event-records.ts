/** The records that a host's events lead to, one at a time, as they are asked for. */
import type { StreamRecord } from "../contract/record.js";
import type { Inbox } from "./inbox.js";
import type { ReaderStall } from "./reader-stall.js";

/** What makes the records. What `begin` and `on` throw is told by `onFault`. */
export interface EventHandler<Event> {
  /** The records that come before any event. */
  begin(): Generator<StreamRecord, void>;
  on(event: Event): Generator<StreamRecord, void>;
  /** The records that an exception leads to, which one of the above threw. */
  onFault(error: unknown): Generator<StreamRecord, void>;
  /** No event will lead to another record. */
  isDone(): boolean;
  /** Called once, when the records are over for whatever reason. */
  end(): Promise<void>;
}

/**
 * Ends when the teller is done or the inbox is closed. No generator: a suspended one keeps the last record and the sample
 * behind it, for every host of a fleet.
 */
export class EventRecords<Event> implements AsyncIterableIterator<StreamRecord, void> {
  readonly #handler: EventHandler<Event>;
  readonly #inbox: Inbox<Event>;
  readonly #stall: ReaderStall;
  /** The records of the event that is being told. */
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
        const told = this.#nextRecord();
        if (told?.done === false) {
          this.#stall.recordGiven();
          return told;
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
