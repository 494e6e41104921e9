/** A run that failed on a busy machine is tried again: a failure measures nothing, and must not end a bench of an hour. */

export interface Tried {
  /** Begins each message, as `round-trips: ready`. */
  readonly what: string;
  readonly say: (line: string) => void;
  /** What the servers logged, for the message of the last failure. */
  readonly log: () => string;
}

/** In all, the first one among them. */
export const MAX_TRIES = 3;

const MAX_LOG_LINES = 15;

/** The first result. Throws, with the end of the servers' log, where no try had one. */
export async function again<Result>(tried: Tried, run: () => Promise<Result>): Promise<Result> {
  for (let count = 1; ; count++) {
    try {
      return await run();
    } catch (error) {
      const message = error instanceof Error ? error.message.trim() : String(error);
      if (count < MAX_TRIES) {
        tried.say(`${tried.what}: failed, is tried again: ${message}`);
        continue;
      }
      const log = tried.log().trimEnd().split("\n").slice(-MAX_LOG_LINES).join("\n  ");
      throw new Error(
        `${tried.what}: failed ${MAX_TRIES} times, at last: ${message}\nthe servers' log ends with:\n  ${log}`,
        { cause: error },
      );
    }
  }
}

/** Rounds that failed at every try: they are left out of the figures and counted, and the rest of the scenario goes on. */
export class LeftOut {
  readonly #of = new Map<string, { count: number; last: string }>();

  /** The result, or null for a round that is left out; why is logged at once, with the program's standard error. */
  async round<Result>(tried: Tried, run: () => Promise<Result>): Promise<Result | null> {
    try {
      return await again(tried, run);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      tried.say(`${message}\n${tried.what}: this round is left out`);
      const count = (this.#of.get(tried.what)?.count ?? 0) + 1;
      this.#of.set(tried.what, { count, last: message.split("\n")[0] ?? "" });
      return null;
    }
  }

  /** One line for each program that has rounds left out: how many, and why the last one. */
  notes(): readonly string[] {
    return [...this.#of.values()].map(
      ({ count, last }) => `${count} ${count === 1 ? "round" : "rounds"} left out: ${last}`,
    );
  }
}
