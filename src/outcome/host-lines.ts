/** Bounds the log of one host: a host that flaps would log lines with every tick, all the same but for their times. */

const WINDOW_MS = 60_000;
/** Lines of one kind that are logged at once, in a minute. What comes after them waits for the end of the minute. */
const MAX_LINES_OF_KIND = 2;
/** Further kinds count as one: some are named after devices, of which a broken tool may report others each time. */
const MAX_KINDS = 16;
const OTHER_KINDS = "";

/** A line that waits, the newest of its kind, and how many there were. */
export interface HeldLine<Line> {
  readonly line: Line;
  readonly count: number;
}

export class HostLines<Line> {
  #beganMs = -Infinity;
  /** Lines of each kind since then. */
  readonly #counts = new Map<string, number>();
  /** By kind, in the order in which they came last. */
  readonly #held = new Map<string, HeldLine<Line>>();

  get isHolding(): boolean {
    return this.#held.size > 0;
  }

  /** Whether the line is to be logged now. If not, it is held, and replaces the one of its kind that was. */
  take(kind: string, line: Line, nowMs: number): boolean {
    if (!this.isHolding && this.#isOver(nowMs)) {
      this.#beganMs = nowMs;
      this.#counts.clear();
    }
    const isKnown = this.#counts.has(kind) || this.#counts.size < MAX_KINDS;
    const key = isKnown ? kind : OTHER_KINDS;
    const count = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.set(key, count);
    if (count <= MAX_LINES_OF_KIND) return true;
    const before = this.#held.get(key)?.count ?? 0;
    this.#held.delete(key);
    this.#held.set(key, { line, count: before + 1 });
    return false;
  }

  /** The lines that were held for a minute, in their order. Their kinds wait from the start in the next minute. */
  due(nowMs: number): readonly HeldLine<Line>[] {
    if (!this.isHolding || !this.#isOver(nowMs)) return [];
    this.#beganMs = nowMs;
    const kinds = [...this.#held.keys()];
    this.#counts.clear();
    for (const kind of kinds) this.#counts.set(kind, MAX_LINES_OF_KIND);
    return this.rest();
  }

  /** The times are those of records. A clock that was set back must not hold lines until it is where it was. */
  #isOver(nowMs: number): boolean {
    return nowMs - this.#beganMs >= WINDOW_MS || nowMs < this.#beganMs;
  }

  /** All lines that are held. */
  rest(): readonly HeldLine<Line>[] {
    const lines = [...this.#held.values()];
    this.#held.clear();
    return lines;
  }
}
