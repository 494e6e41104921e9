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
