/**
 * Coverage-guided cases: an input that reaches blocks of our code which none before it did is kept, and later ones are made
 * of it. Some 2 ms a case, for V8 is asked after each; the other cases are blind and a hundred times as many.
 */
import type { Coverage } from "./coverage.js";
import type { Random } from "./mutate.js";
import type { Subject } from "./parser-subjects.js";

export interface Reached {
  /** Blocks that the cases reached. */
  readonly blocks: number;
  /** Inputs that were kept. */
  readonly kept: number;
  readonly problems: readonly string[];
}

/** `isGuided`: keeps what is new; without it, the cases are only counted. */
export function runCovered(
  coverage: Coverage,
  subject: Subject,
  cases: number,
  random: Random,
  isGuided: boolean,
): Reached {
  const seen = new Set<string>();
  const problems: string[] = [];
  let kept = 0;
  for (let index = 0; index < cases; index++) {
    const made = subject.prepare(random);
    // What preparing has run is not the input's.
    coverage.take();
    try {
      made.run();
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      problems.push(`${subject.name}, covered case ${index}: ${text}`);
    }
    const before = seen.size;
    for (const block of coverage.take()) seen.add(block);
    if (isGuided && seen.size > before) {
      made.keep();
      kept += 1;
    }
  }
  return { blocks: seen.size, kept, problems };
}
