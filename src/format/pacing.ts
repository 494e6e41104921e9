/** Batches of records to texts: at once for lines, at most one in `pauseMs` for a screen. */
import type { StreamRecord } from "../contract/record.js";
import { mapAsync } from "../lib/map-async.js";
import type { Clock, Timer } from "../lib/clock.js";
import type { Formatter, Screen } from "./formatter.js";

export type Batches = AsyncIterable<readonly StreamRecord[]>;
/** Whole lines, as text or as the bytes of it in UTF-8, or pictures of a screen. */
export type Texts = Required<Pick<AsyncIterator<string | Uint8Array, void>, "next" | "return">>;

/** Ends when the batches do, after the formatter's last text. `return` returns the batches' iterator. */
export function textsOf(batches: Batches, formatter: Formatter, clock: Clock): Texts {
  const texts =
    formatter.screen === undefined
      ? mapAsync(batches, (batch) => formatter.bytes?.(batch) ?? formatter.format(batch))
      : pictures(batches, formatter, formatter.screen, clock);
  let hasEnded = false;
  return {
    async next() {
      const step = await texts.next();
      if (step.done !== true || hasEnded) return step;
      hasEnded = true;
      return { done: false, value: formatter.end?.() ?? "" };
    },
    async return() {
      hasEnded = true;
      await texts.return?.();
      return { done: true, value: undefined };
    },
  };
}

async function* pictures(
  batches: Batches,
  formatter: Formatter,
  screen: Screen,
  clock: Clock,
): AsyncGenerator<string, void> {
  const iterator = batches[Symbol.asyncIterator]();
  let wake: () => void = () => undefined;
  const state: {
    step: IteratorResult<readonly StreamRecord[], unknown> | null;
    failure: { readonly error: unknown } | null;
    stale: boolean;
    timer: Timer | null;
  } = { step: null, failure: null, stale: false, timer: null };
  const pull = (): void => {
    iterator.next().then(
      (step) => {
        state.step = step;
        wake();
      },
      (error: unknown) => {
        state.failure = { error };
        wake();
      },
    );
  };
  const stopListening = screen.onOutdated(() => {
    state.stale = true;
    wake();
  });
  let ended = false;
  try {
    pull();
    for (;;) {
      if (state.failure !== null) {
        ended = true;
        throw state.failure.error;
      }
      const step: IteratorResult<readonly StreamRecord[], unknown> | null = state.step;
      if (step?.done === true) {
        ended = true;
        if (state.stale) yield formatter.format([]);
        return;
      }
      if (step !== null) {
        state.step = null;
        screen.absorb(step.value);
        state.stale = true;
        pull();
      }
      if (state.stale && state.timer === null) {
        state.stale = false;
        yield formatter.format([]);
        state.timer = clock.after(screen.pauseMs, () => {
          state.timer = null;
          wake();
        });
      }
      if (needsWait(state)) await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    stopListening();
    state.timer?.cancel();
    if (!ended) await iterator.return?.();
  }
}

/** Whether there is nothing to do until something calls `wake`. */
function needsWait(state: {
  readonly step: unknown;
  readonly failure: unknown;
  readonly stale: boolean;
  readonly timer: Timer | null;
}): boolean {
  return state.step === null && state.failure === null && !(state.stale && state.timer === null);
}
