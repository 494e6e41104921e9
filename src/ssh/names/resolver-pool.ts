/**
 * Look-ups by resolver processes. One process serves all hosts. Where names that hang fill it, another one is started, or
 * it is killed with the names that nobody waits for any more. Where none can be started, this process looks names up.
 */
import { unlessAborted } from "../../lib/abort.js";
import type { Clock, Timer } from "../../lib/clock.js";
import type { Family, NameAnswer } from "./look-up.js";
import { Asker, NameQueue, type PendingName, type Worker } from "./name-queue.js";
import { addressesOf, inProcessNames, type Names } from "./names.js";
import { resolverStarter, type StartResolver } from "./resolver-process.js";

/** How many names each process looks up at once. libuv has at most 1024 threads, half of them for look-ups. */
const CAPACITIES = [64, 256, 512, 512] as const;
/** How long names may wait for a full pool before it grows. */
const MAX_QUEUED_MS = 200;
/** A process that nobody needs is ended after this time: it takes some 25 MiB. */
const IDLE_MS = 10_000;
/** A name that has hung for so long is looked up anew: the cause may be gone. */
const STALE_MS = 30_000;
/** How long no process is started after one could not be started or died. */
const START_COOLDOWN_MS = 30_000;

/** `start` is called when the first name is asked for or expected. */
export class ResolverPool implements Names {
  readonly #workers: Worker[] = [];
  readonly #queue = new NameQueue();
  readonly #inProcess = inProcessNames();
  #queuedTimer: Timer | null = null;
  #idleTimer: Timer | null = null;
  #noStartBeforeMs = -Infinity;

  constructor(
    private readonly start: StartResolver,
    private readonly clock: Clock,
  ) {}

  async find(name: string, family: Family, signal: AbortSignal): Promise<readonly string[]> {
    signal.throwIfAborted();
    if (!this.#canServe()) return await this.#inProcess.find(name, family, signal);
    const asker = new Asker(signal);
    const pending = this.#pendingFor(name, family);
    pending.askers.add(asker);
    this.#send();
    try {
      return addressesOf(await unlessAborted(asker.promise, signal));
    } finally {
      if (signal.aborted) this.#withdraw(pending, asker);
    }
  }

  expect(): void {
    if (this.#workers.length === 0 && this.#canServe()) this.#grow();
    this.#watchIdle();
  }

  close(): void {
    for (const { resolver } of this.#workers.splice(0)) resolver.kill();
    this.#queuedTimer?.cancel();
    this.#idleTimer?.cancel();
    this.#queuedTimer = this.#idleTimer = null;
    this.#queue.fail(new Error("the look-up was given up"));
  }

  #pendingFor(name: string, family: Family): PendingName {
    const known = this.#queue.find(name, family);
    if (known !== undefined && !this.#isStale(known)) return known;
    const worker = known?.worker ?? null;
    if (worker !== null && abandonedIn(worker) === worker.names.size) this.#replace(worker);
    return this.#queue.add(name, family);
  }

  #withdraw(pending: PendingName, asker: Asker): void {
    if (!pending.askers.delete(asker) || pending.askers.size > 0) return;
    this.#queue.abandoned(pending);
    this.#watchIdle();
  }

  #isStale({ askers, worker, sentMs }: PendingName): boolean {
    return askers.size === 0 && worker !== null && this.clock.nowMs() - sentMs > STALE_MS;
  }

  /** Sends waiting names to processes with free capacity. */
  #send(): void {
    this.#idleTimer?.cancel();
    this.#idleTimer = null;
    if (this.#queue.hasWaiting && this.#workers.length === 0) this.#grow();
    for (const worker of this.#workers) {
      while (worker.names.size < worker.resolver.capacity) {
        const next = this.#queue.takeNext();
        if (next === undefined) break;
        next.worker = worker;
        next.sentMs = this.clock.nowMs();
        worker.names.set(next.id, next);
        worker.resolver.ask(next.id, { name: next.name, family: next.family });
      }
    }
    if (this.#queue.hasWaiting) {
      this.#queuedTimer ??= this.clock.after(MAX_QUEUED_MS, () => this.#addCapacity());
    } else this.#watchIdle();
  }

  #answered(worker: Worker, id: number, answer: NameAnswer): void {
    const pending = worker.names.get(id);
    if (pending === undefined) return;
    worker.names.delete(id);
    this.#queue.answered(pending);
    for (const asker of pending.askers) asker.answer(answer);
    this.#send();
  }

  /** Names have waited: those that the pool looks up now are slow, or hang for ever. */
  #addCapacity(): void {
    this.#queuedTimer = null;
    if (!this.#queue.hasWaiting) return;
    const [idlest] = [...this.#workers].sort((a, b) => abandonedIn(b) - abandonedIn(a));
    const mayGrow = this.#workers.length < CAPACITIES.length && this.clock.nowMs() >= this.#noStartBeforeMs;
    const isHung = idlest !== undefined && abandonedIn(idlest) > 0;
    if (isHung && (!mayGrow || abandonedIn(idlest) === idlest.names.size)) this.#replace(idlest);
    else if (mayGrow) this.#grow();
    this.#send();
  }

  /** Kills a process with the names that nobody waits for; the others are sent again. */
  #replace(worker: Worker): void {
    worker.resolver.kill();
    this.#workers.splice(this.#workers.indexOf(worker), 1);
    this.#queue.requeue(worker);
    this.#grow();
  }

  #grow(): void {
    const capacity = CAPACITIES[this.#workers.length] ?? CAPACITIES[0];
    const resolver = this.start(capacity, {
      answered: (id, answer) => this.#answered(worker, id, answer),
      failed: () => this.#failed(worker),
    });
    const worker: Worker = { resolver, names: new Map() };
    this.#workers.push(worker);
  }

  /** No process, memory or descriptor was left, or something killed it. */
  #failed(worker: Worker): void {
    const index = this.#workers.indexOf(worker);
    if (index < 0) return;
    this.#workers.splice(index, 1);
    this.#noStartBeforeMs = this.clock.nowMs() + START_COOLDOWN_MS;
    this.#queue.requeue(worker);
    if (this.#workers.length > 0) this.#send();
    else for (const pending of this.#queue.takeWaiting()) this.#serveInProcess(pending);
  }

  #serveInProcess({ name, family, askers }: PendingName): void {
    for (const { answer, fail, signal } of askers) {
      this.#inProcess.find(name, family, signal).then(
        (addresses) => answer({ addresses }),
        (error: unknown) => fail(error as Error),
      );
    }
  }

  /** Whether there is a process, or one may be started. */
  #canServe(): boolean {
    return this.#workers.length > 0 || this.clock.nowMs() >= this.#noStartBeforeMs;
  }

  #watchIdle(): void {
    if (!this.#queue.isIdle || this.#workers.length === 0) return;
    this.#idleTimer ??= this.clock.after(IDLE_MS, () => this.close());
  }
}

/** Looks names up in processes of their own. `program` is resolver.ts as built. Close it after use. */
export function openNames(program: URL, clock: Clock): Names {
  return new ResolverPool(resolverStarter(program, clock), clock);
}

function abandonedIn({ names }: Worker): number {
  let count = 0;
  for (const { askers } of names.values()) if (askers.size === 0) count += 1;
  return count;
}
