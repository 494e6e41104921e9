/**
 * Names by resolver processes. One process serves all hosts; where names that hang fill it, another one is started
 * beside it, or it is killed with what nobody waits for any more. Where none can be started, this process looks up.
 */
import type { Clock, Timer } from "../../lib/clock.js";
import type { Family, NameAnswer, NameQuestion } from "./messages.js";
import { addressesOf, inProcessNames, type Names } from "./names.js";
import { resolverStarter, type Resolver, type StartResolver } from "./resolver-process.js";

/** What the first process works on at once, and each further one. libuv has at most 1024 threads, half for look-ups. */
const ROOM = [64, 256, 512, 512] as const;
/** How long names may wait for a full pool before it grows. */
const STUCK_MS = 200;
/** A process that nobody waits for is ended then: it takes some 25 MiB. */
const IDLE_MS = 10_000;
/** A name that has hung for so long is asked for afresh: what it hung on may be well again. */
const STALE_MS = 30_000;
/** How long this process looks up by itself after one could not be started. */
const WITHOUT_MS = 30_000;

interface Asker {
  readonly answer: (answer: NameAnswer) => void;
  readonly fail: (error: Error) => void;
  readonly signal: AbortSignal;
}

/** One name in flight, for all who ask for it. */
interface Asked extends NameQuestion {
  readonly id: number;
  readonly askers: Set<Asker>;
  member: Member | null;
  handedMs: number;
}

interface Member {
  readonly resolver: Resolver;
  readonly working: Map<number, Asked>;
}

/** `start` is called when the first name is asked for or expected. */
export class ResolverPool implements Names {
  readonly #members: Member[] = [];
  readonly #asked = new Map<string, Asked>();
  /** Not with a resolver yet: names that have hung before wait behind those that have not. */
  #waiting: Asked[] = [];
  /** Names that everybody gave up on when they were asked for last. */
  readonly #slow = new Set<string>();
  readonly #inProcess = inProcessNames();
  #nextId = 0;
  #stuck: Timer | null = null;
  #idle: Timer | null = null;
  #noneBeforeMs = -Infinity;

  constructor(
    private readonly start: StartResolver,
    private readonly clock: Clock,
  ) {}

  async find(name: string, family: Family, signal: AbortSignal): Promise<readonly string[]> {
    signal.throwIfAborted();
    if (!this.#canServe()) return await this.#inProcess.find(name, family, signal);
    return addressesOf(
      await new Promise<NameAnswer>((resolve, reject) => {
        const asked = this.#askFor(name, family);
        const aborted = (): void => {
          asked.askers.delete(asker);
          if (asked.askers.size === 0) this.#abandoned(asked);
          reject(signal.reason as Error);
        };
        const done = (): void => signal.removeEventListener("abort", aborted);
        const asker: Asker = {
          answer: (answer) => {
            done();
            resolve(answer);
          },
          fail: (error) => {
            done();
            reject(error);
          },
          signal,
        };
        asked.askers.add(asker);
        signal.addEventListener("abort", aborted, { once: true });
        this.#handOut();
      }),
    );
  }

  expect(): void {
    if (this.#members.length === 0 && this.#canServe()) this.#grow();
    this.#watchIdle();
  }

  close(): void {
    for (const { resolver } of this.#members.splice(0)) resolver.kill();
    this.#stuck?.cancel();
    this.#idle?.cancel();
    this.#stuck = this.#idle = null;
    for (const { askers } of this.#asked.values()) {
      for (const { fail } of askers) fail(new Error("the look-up was given up"));
    }
    this.#asked.clear();
    this.#waiting = [];
  }

  #askFor(name: string, family: Family): Asked {
    const key = keyOf({ name, family });
    const known = this.#asked.get(key);
    if (known !== undefined && !this.#isStale(known)) return known;
    const stale = known?.member ?? null;
    if (stale !== null && abandonedIn(stale) === stale.working.size) this.#replace(stale);
    const asked: Asked = { id: this.#nextId++, name, family, askers: new Set(), member: null, handedMs: 0 };
    this.#asked.set(key, asked);
    this.#waiting.push(asked);
    return asked;
  }

  #isStale({ askers, member, handedMs }: Asked): boolean {
    return askers.size === 0 && member !== null && this.clock.nowMs() - handedMs > STALE_MS;
  }

  #handOut(): void {
    this.#idle?.cancel();
    this.#idle = null;
    if (this.#waiting.length > 0 && this.#members.length === 0) this.#grow();
    for (const member of this.#members) {
      while (member.working.size < member.resolver.room) {
        const next = this.#takeNext();
        if (next === undefined) break;
        this.#handTo(member, next);
      }
    }
    if (this.#waiting.length > 0) this.#stuck ??= this.clock.after(STUCK_MS, () => this.#makeRoom());
    else this.#watchIdle();
  }

  #takeNext(): Asked | undefined {
    const fresh = this.#waiting.findIndex((asked) => !this.#slow.has(keyOf(asked)));
    return this.#waiting.splice(Math.max(0, fresh), 1)[0];
  }

  #handTo(member: Member, asked: Asked): void {
    asked.member = member;
    asked.handedMs = this.clock.nowMs();
    member.working.set(asked.id, asked);
    member.resolver.ask(asked.id, { name: asked.name, family: asked.family });
  }

  #answered(member: Member, id: number, answer: NameAnswer): void {
    const asked = member.working.get(id);
    if (asked === undefined) return;
    member.working.delete(id);
    this.#forget(asked);
    this.#slow.delete(keyOf(asked));
    for (const asker of asked.askers) asker.answer(answer);
    this.#handOut();
  }

  /** It may still be answered, and be asked for again meanwhile: what is with a resolver stays there. */
  #abandoned(asked: Asked): void {
    this.#slow.add(keyOf(asked));
    if (asked.member === null) {
      this.#waiting = this.#waiting.filter((other) => other !== asked);
      this.#forget(asked);
    }
    this.#watchIdle();
  }

  #forget(asked: Asked): void {
    if (this.#asked.get(keyOf(asked)) === asked) this.#asked.delete(keyOf(asked));
  }

  /** Names have waited: what the pool works on is slow, or hangs for ever. */
  #makeRoom(): void {
    this.#stuck = null;
    if (this.#waiting.length === 0) return;
    const { length } = this.#members;
    const [idlest] = [...this.#members].sort((a, b) => abandonedIn(b) - abandonedIn(a));
    const mayGrow = length < ROOM.length && this.clock.nowMs() >= this.#noneBeforeMs;
    const hangs = idlest !== undefined && abandonedIn(idlest) > 0;
    if (hangs && (!mayGrow || abandonedIn(idlest) === idlest.working.size)) this.#replace(idlest);
    else if (mayGrow) this.#grow();
    this.#handOut();
  }

  /** Kills what nobody waits for any more; what somebody does is asked again. */
  #replace(member: Member): void {
    member.resolver.kill();
    this.#members.splice(this.#members.indexOf(member), 1);
    const again = this.#takeBack(member);
    this.#grow();
    this.#waiting.unshift(...again);
  }

  #takeBack(member: Member): readonly Asked[] {
    const all = [...member.working.values()];
    member.working.clear();
    for (const asked of all) {
      asked.member = null;
      if (asked.askers.size === 0) this.#forget(asked);
    }
    return all.filter(({ askers }) => askers.size > 0);
  }

  #grow(): void {
    const room = ROOM[this.#members.length] ?? ROOM[0];
    const resolver = this.start(room, {
      answered: (id, answer) => this.#answered(member, id, answer),
      failed: () => this.#failed(member),
    });
    const member: Member = { resolver, working: new Map() };
    this.#members.push(member);
  }

  /** No process, no memory, no descriptor, or something killed it. */
  #failed(member: Member): void {
    const place = this.#members.indexOf(member);
    if (place < 0) return;
    this.#members.splice(place, 1);
    this.#noneBeforeMs = this.clock.nowMs() + WITHOUT_MS;
    this.#waiting.unshift(...this.#takeBack(member));
    if (this.#members.length > 0) this.#handOut();
    else for (const asked of this.#waiting.splice(0)) this.#serveInProcess(asked);
  }

  #serveInProcess(asked: Asked): void {
    this.#forget(asked);
    for (const { answer, fail, signal } of asked.askers) {
      this.#inProcess.find(asked.name, asked.family, signal).then(
        (addresses) => answer({ addresses }),
        (error: unknown) => fail(error as Error),
      );
    }
  }

  /** Whether there is a process, or one may be started. */
  #canServe(): boolean {
    return this.#members.length > 0 || this.clock.nowMs() >= this.#noneBeforeMs;
  }

  #watchIdle(): void {
    const isIdle = [...this.#asked.values()].every(({ askers }) => askers.size === 0);
    if (!isIdle || this.#members.length === 0) return;
    this.#idle ??= this.clock.after(IDLE_MS, () => this.close());
  }
}

/** Looks names up by processes of their own. `program` is resolver.ts as built. To be closed. */
export function openNames(program: URL, clock: Clock): Names {
  return new ResolverPool(resolverStarter(program), clock);
}

function keyOf({ name, family }: NameQuestion): string {
  return `${family} ${name}`;
}

function abandonedIn({ working }: Member): number {
  let count = 0;
  for (const { askers } of working.values()) if (askers.size === 0) count += 1;
  return count;
}
