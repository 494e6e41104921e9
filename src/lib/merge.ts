/** Many record streams into one, with no barrier: a slow source delays no other. */
import type { Clock } from "./clock.js";

/** So many items are a full batch: a whole burst in one batch would outlive the collections of young garbage. */
const FULL_BATCH = 16;
/** Items that came while a batch was written go out in batches of this size, whose text stays in the processor's cache. */
const MAX_IN_BATCH = 64;

/** How long a batch is gathered. Without it, a batch is what comes in one turn of the event loop. */
export interface Gathering {
  readonly clock: Clock;
  /** How long the first item of a batch waits for others. */
  readonly ms: number;
}

/** Takes sources in after a merge has begun. */
export class LateSources<T> {
  readonly #early: AsyncIterator<T, void>[] = [];
  #join: ((source: AsyncIterator<T, void>) => void) | null = null;

  /** Where the merge has ended, the source is returned at once. */
  add(source: AsyncIterator<T, void>): void {
    if (this.#join === null) this.#early.push(source);
    else this.#join(source);
  }

  /** For the merge. */
  onAdd(join: (source: AsyncIterator<T, void>) => void): void {
    this.#join = join;
    for (const source of this.#early.splice(0)) join(source);
  }
}

/**
 * Yields what is ready, as batches in arrival order. A source is resumed only once the consumer has come back for
 * more, so at most one item of each is ever held. Ends when every source has; rethrows a source's error.
 * When the consumer leaves early, every source is returned; sources must end by themselves once their signal aborts.
 */
export async function* merge<T>(
  sources: readonly AsyncIterator<T, void>[],
  gathering: Gathering | null = null,
  late: LateSources<T> | null = null,
): AsyncGenerator<readonly T[], void> {
  const all = [...sources];
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

  /** Waits for the end of the turn of the event loop, or of the gathering time, or for a full batch. */
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
  late?.onAdd((source) => {
    all.push(source);
    open += 1;
    pull(source);
  });
  try {
    while (open > 0 || ready.length > 0) {
      if (failure !== undefined) throw failure.error;
      if (ready.length === 0) await new Promise<void>((resolve) => (wake = resolve));
      if (ready.length === 0) continue;
      // Items that come in the meantime go into the same batch: one write for all of them.
      await turn();
      const resume = taken.splice(0, MAX_IN_BATCH);
      // Not kept in a variable of the generator, which would hold the last batch until the next one.
      yield ready.splice(0, MAX_IN_BATCH);
      for (const source of resume) pull(source);
    }
    // The compiler does not see that a callback sets it.
    const last = failure as { readonly error: unknown } | undefined;
    if (last !== undefined) throw last.error;
  } finally {
    late?.onAdd((source) => void source.return?.());
    await Promise.allSettled(all.map(async (source) => source.return?.()));
  }
}
