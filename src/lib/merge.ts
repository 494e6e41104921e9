/** Many record streams into one, with no barrier: a slow source delays no other. */
import type { Clock } from "./clock.js";

/** When so many are there they are a batch: a whole burst at once would outlive the collections of young garbage. */
const FULL_BATCH = 16;
/** What waits while a batch is written goes out in batches too, whose text stays near the processor. */
const MAX_IN_BATCH = 64;

/** Without one, a batch is what comes in one turn of the event loop. */
export interface Gathering {
  readonly clock: Clock;
  /** How long the first item of a batch waits for others. */
  readonly ms: number;
}

/**
 * Yields what is ready, as batches in arrival order. A source is resumed only once the consumer has come back for
 * more, so at most one item of each is ever held. Ends when every source has; rethrows a source's error.
 * When the consumer leaves early, every source is returned; sources must end by themselves once their signal aborts.
 */
export async function* merge<T>(
  sources: readonly AsyncIterator<T, void>[],
  gathering: Gathering | null = null,
): AsyncGenerator<readonly T[], void> {
  const ready: T[] = [];
  const taken: AsyncIterator<T, void>[] = [];
  let open = sources.length;
  let failure: { readonly error: unknown } | undefined;
  let wake: () => void = () => undefined;
  let endTurn: () => void = () => undefined;

  const pull = (source: AsyncIterator<T, void>): void => {
    source.next().then(
      (step) => {
        if (step.done === true) open -= 1;
        else {
          ready.push(step.value);
          taken.push(source);
          if (ready.length >= FULL_BATCH) endTurn();
        }
        if (open === 0) endTurn();
        wake();
      },
      (error: unknown) => {
        open -= 1;
        failure ??= { error };
        endTurn();
        wake();
      },
    );
  };

  /** Till the event loop has turned, or the gathering's time is over; or a batch is full. */
  const turn = async (): Promise<void> => {
    if (ready.length >= FULL_BATCH) return;
    let cancel: () => void = () => undefined;
    await new Promise<void>((resolve) => {
      endTurn = resolve;
      if (gathering === null) {
        const immediate = setImmediate(resolve);
        cancel = () => clearImmediate(immediate);
      } else {
        const timer = gathering.clock.after(gathering.ms, resolve);
        cancel = () => timer.cancel();
      }
    });
    cancel();
  };

  for (const source of sources) pull(source);
  try {
    while (open > 0 || ready.length > 0) {
      if (failure !== undefined) throw failure.error;
      if (ready.length === 0) await new Promise<void>((resolve) => (wake = resolve));
      if (ready.length === 0) continue;
      // What else comes meanwhile goes into the same batch: a write for all, not one each.
      await turn();
      const resume = taken.splice(0, MAX_IN_BATCH);
      // In no variable of the generator's, which would hold the last batch until the next one is there.
      yield ready.splice(0, MAX_IN_BATCH);
      for (const source of resume) pull(source);
    }
    // Set by a callback, which the compiler cannot see.
    const last = failure as { readonly error: unknown } | undefined;
    if (last !== undefined) throw last.error;
  } finally {
    await Promise.allSettled(sources.map(async (source) => source.return?.()));
  }
}
