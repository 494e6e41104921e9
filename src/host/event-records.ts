/** The records that a host's events lead to, one at a time, as they are asked for. */
import type { StreamRecord } from "../contract/record.js";
import type { Inbox } from "./inbox.js";
import type { ReaderStall } from "./reader-stall.js";

/** What makes the records. What `begin` and `on` throw is told by `onFault`. */
export interface EventTeller<Event> {
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
  readonly #teller: EventTeller<Event>;
  readonly #inbox: Inbox<Event>;
  readonly #stall: ReaderStall;
  /** The records of the event that is being told. */
  #telling: Generator<StreamRecord, void> | null;
  #ending: Promise<void> | null = null;

  constructor(teller: EventTeller<Event>, inbox: Inbox<Event>, stall: ReaderStall) {
    this.#teller = teller;
    this.#inbox = inbox;
    this.#stall = stall;
    this.#telling = teller.begin();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<StreamRecord, void>> {
    this.#stall.cameBack();
    try {
      while (this.#ending === null) {
        const told = this.#tell();
        if (told?.done === false) {
          this.#stall.told();
          return told;
        }
        this.#telling = null;
        if (this.#teller.isDone()) break;
        const event = this.#inbox.take();
        if (event !== undefined) this.#telling = this.#teller.on(event);
        else if (this.#inbox.isClosed) break;
        else await this.#inbox.arrival();
      }
    } catch (error) {
      await this.#end();
      throw error;
    }
    return this.return();
  }

  #tell(): IteratorResult<StreamRecord, void> | undefined {
    try {
      return this.#telling?.next();
    } catch (error) {
      this.#telling = this.#teller.onFault(error);
      return this.#telling.next();
    }
  }

  async return(): Promise<IteratorResult<StreamRecord, void>> {
    await this.#end();
    return { done: true, value: undefined };
  }

  #end(): Promise<void> {
    this.#telling = null;
    this.#ending ??= this.#teller.end();
    return this.#ending;
  }
}
