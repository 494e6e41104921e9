/** Names to addresses, for everything that looks names up. */
import { unlessAborted } from "../../lib/abort.js";
import { Limiter } from "../../lib/limiter.js";
import { lookUp, type Family, type NameAnswer } from "./look-up.js";

export interface Names {
  /**
   * The addresses of a name, at least one, as getaddrinfo(3) orders them. Rejects with an Error that has getaddrinfo's
   * `code`, or with the signal's reason: there is no other time limit.
   */
  find(name: string, family: Family, signal: AbortSignal): Promise<readonly string[]>;
  /** Names will be asked for soon: starts what takes time to start. */
  expect(): void;
  /** Waits for nothing. A look-up after this starts it anew. */
  close(): void;
}

/** The addresses of an answer. Throws the error that `find` rejects with. */
export function addressesOf(answer: NameAnswer): readonly string[] {
  if (answer.addresses !== null) return answer.addresses;
  throw Object.assign(new Error(answer.message), { code: answer.code });
}

/** libuv has four threads and gives look-ups two of them: files and agents need the others. */
const MAX_IN_PROCESS = 2;

/** Looks names up in this process: where no other can be started, and for tests. Names that hang delay other names, and the exit. */
export function inProcessNames(): Names {
  const places = new Limiter(MAX_IN_PROCESS);
  return {
    async find(name, family, signal) {
      const release = await places.acquire(signal);
      const answer = new Promise<NameAnswer>((resolve) => lookUp({ name, family }, resolve)).finally(release);
      return addressesOf(await unlessAborted(answer, signal));
    },
    expect: () => undefined,
    close: () => undefined,
  };
}
