/** Names to addresses, for everything that looks names up. */
import { unlessAborted } from "../../lib/abort.js";
import { Limiter } from "../../lib/limiter.js";
import { lookUp } from "./look-up.js";
import type { Family, NameAnswer } from "./messages.js";

export interface Names {
  /**
   * The addresses of a name, at least one, as getaddrinfo(3) orders them. Rejects with an Error that has getaddrinfo's
   * `code`, or with the signal's reason: the signal is the bound, there is no other.
   */
  find(name: string, family: Family, signal: AbortSignal): Promise<readonly string[]>;
  /** Names will be asked for soon: what takes time to start is started. */
  expect(): void;
  /** Nothing is waited for. A name that is asked for later starts it anew. */
  close(): void;
}

/** An answer as what `find` settles with. */
export function addressesOf(answer: NameAnswer): readonly string[] {
  if (answer.addresses !== null) return answer.addresses;
  throw Object.assign(new Error(answer.message), { code: answer.code });
}

/** libuv has four threads, and lets look-ups have two: files and agents need the others. */
const MAX_IN_PROCESS = 2;

/** In this process: for where no other can be started, and for tests. Names that hang keep names waiting, and the exit. */
export function inProcessNames(): Names {
  const turns = new Limiter(MAX_IN_PROCESS);
  return {
    async find(name, family, signal) {
      const release = await turns.acquire(signal);
      const answer = new Promise<NameAnswer>((resolve) => lookUp({ name, family }, resolve)).finally(release);
      return addressesOf(await unlessAborted(answer, signal));
    },
    expect: () => undefined,
    close: () => undefined,
  };
}
