/** The end of the pipeline: pulls records, writes text, and waits for the reader. */
import type { Clock, Timer } from "../lib/clock.js";
import type { Formatter } from "./formatter.js";
import { lacksHeader, OutputClosed, type Output } from "./output.js";
import { textsOf, type Batches, type Texts } from "./pacing.js";

/** `closed`: the reader has gone. `abandoned`: it took nothing within the grace after the signal's abort. */
export type Drained = "ended" | "closed" | "abandoned";

export interface DrainOptions {
  /** When it aborts, pending text is still written, for `GRACE_MS` at most. The batches must then end too. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** Called once when the output takes no more, before the batches are returned: it must make them end. */
  readonly stop: () => void;
}

const GRACE_MS = 300;

/**
 * One write a batch, whole lines; the next batch is pulled when the write is out. Throws OutputError, and what the
 * batches throw. Does not close the output.
 */
export function drainTo(
  batches: Batches,
  formatter: Formatter,
  output: Output,
  options: DrainOptions,
): Promise<Drained> {
  return drainTexts(textsOf(batches, formatter, options.clock), formatter.header?.() ?? "", output, options);
}

/** The same for texts that exist already; `header` is "" where there is none. Returns the texts at the end. */
export async function drainTexts(
  texts: Texts,
  header: string,
  output: Output,
  { signal, clock, stop }: DrainOptions,
): Promise<Drained> {
  const grace = graceAfter(signal, clock);
  try {
    const isThere = !lacksHeader(output.firstLine, header);
    let went: Went = isThere || (await grace.allows(output.write(header))) ? "more" : "abandoned";
    while (went === "more") went = await pass(texts, output, grace);
    return went === "ended" ? "ended" : giveUp("abandoned");
  } catch (error) {
    if (error instanceof OutputClosed) return giveUp("closed");
    stop();
    throw error;
  } finally {
    grace.cancel();
    await texts.return();
  }

  function giveUp(why: Drained): Drained {
    stop();
    return why;
  }
}

type Went = "more" | "ended" | "abandoned";

/** Writes one text. Nothing keeps it after that. */
async function pass(texts: Texts, output: Output, grace: Grace): Promise<Went> {
  const step = await texts.next();
  if (step.done === true) return "ended";
  return step.value.length === 0 || (await grace.allows(output.write(step.value))) ? "more" : "abandoned";
}

interface Grace {
  /** Settles with true when the write is out, with false when the grace has passed before. One write at a time. */
  allows(write: Promise<void>): Promise<boolean>;
  cancel(): void;
}

function graceAfter(signal: AbortSignal, clock: Clock): Grace {
  let timer: Timer | null = null;
  let isOver = false;
  let giveUp: () => void = () => undefined;
  const start = (): void => {
    timer = clock.after(GRACE_MS, () => {
      isOver = true;
      giveUp();
    });
  };
  if (signal.aborted) start();
  else signal.addEventListener("abort", start, { once: true });
  return {
    // No race of promises: one that is there for the whole run would keep something of every write.
    allows: (write) =>
      new Promise((resolve, reject) => {
        giveUp = () => resolve(false);
        if (isOver) giveUp();
        write.then(() => resolve(true), reject);
      }),
    cancel: () => {
      signal.removeEventListener("abort", start);
      timer?.cancel();
    },
  };
}
