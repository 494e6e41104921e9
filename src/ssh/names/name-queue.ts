/** The names that are being looked up, each once however many hosts ask for it, and the queue of those not sent yet. */
import type { Family, NameAnswer, NameQuestion } from "./look-up.js";
import type { Resolver } from "./resolver-process.js";

/** One caller that waits for a name. `answer` and `fail` settle its promise. */
export class Asker {
  readonly promise: Promise<NameAnswer>;
  answer: (answer: NameAnswer) => void = () => undefined;
  fail: (error: Error) => void = () => undefined;

  constructor(readonly signal: AbortSignal) {
    this.promise = new Promise((resolve, reject) => {
      this.answer = resolve;
      this.fail = reject;
    });
  }
}

/** One name in flight, for all who ask for it. */
export interface PendingName extends NameQuestion {
  readonly id: number;
  readonly askers: Set<Asker>;
  /** The process that looks it up; null while it waits in the queue. */
  worker: Worker | null;
  sentMs: number;
}

/** A resolver process and the names it looks up now. */
export interface Worker {
  readonly resolver: Resolver;
  readonly names: Map<number, PendingName>;
}

export class NameQueue {
  readonly #pending = new Map<string, PendingName>();
  /** Names that have hung before are taken after those that have not. */
  #waiting: PendingName[] = [];
  /** Names that nobody waited for any more before the last look-up of them was answered. */
  readonly #slow = new Set<string>();
  #nextId = 0;

  get hasWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  /** Nobody waits for any name. */
  get isIdle(): boolean {
    return [...this.#pending.values()].every(({ askers }) => askers.size === 0);
  }

  find(name: string, family: Family): PendingName | undefined {
    return this.#pending.get(keyOf({ name, family }));
  }

  /** Queues a look-up, in place of one that is pending for the same name. */
  add(name: string, family: Family): PendingName {
    const pending: PendingName = {
      ...{ id: this.#nextId++, name, family, askers: new Set() },
      ...{ worker: null, sentMs: 0 },
    };
    this.#pending.set(keyOf(pending), pending);
    this.#waiting.push(pending);
    return pending;
  }

  takeNext(): PendingName | undefined {
    const fresh = this.#waiting.findIndex((pending) => !this.#slow.has(keyOf(pending)));
    return this.#waiting.splice(Math.max(0, fresh), 1)[0];
  }

  answered(pending: PendingName): void {
    this.#forget(pending);
    this.#slow.delete(keyOf(pending));
  }

  /**
   * Nobody waits for it any more. One that was sent stays pending: it may still be answered, and be asked for again
   * before that.
   */
  abandoned(pending: PendingName): void {
    this.#slow.add(keyOf(pending));
    if (pending.worker !== null) return;
    this.#waiting = this.#waiting.filter((other) => other !== pending);
    this.#forget(pending);
  }

  /** Puts the names of a dead process back to the front; those that nobody waits for are dropped. */
  requeue({ names }: Worker): void {
    const wanted: PendingName[] = [];
    for (const pending of names.values()) {
      pending.worker = null;
      if (pending.askers.size === 0) this.#forget(pending);
      else wanted.push(pending);
    }
    names.clear();
    this.#waiting.unshift(...wanted);
  }

  /** Removes the waiting names from the queue and returns them. */
  takeWaiting(): readonly PendingName[] {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const pending of waiting) this.#forget(pending);
    return waiting;
  }

  /** Removes everything; every caller that waits gets the error. */
  fail(error: Error): void {
    for (const { askers } of this.#pending.values()) for (const { fail } of askers) fail(error);
    this.#pending.clear();
    this.#waiting = [];
  }

  #forget(pending: PendingName): void {
    if (this.#pending.get(keyOf(pending)) === pending) this.#pending.delete(keyOf(pending));
  }
}

function keyOf({ name, family }: NameQuestion): string {
  return `${family} ${name}`;
}
