/** Lines for the operator, which must not be written into a table that is redrawn on the same terminal. */

/** While lines are held, the newest ones are kept. */
const MAX_HELD_LINES = 100;

/** Prints lines at once, or holds them until `release`. */
export class Notices {
  readonly #print: (line: string) => void;
  readonly #held: string[] = [];
  #isHolding: boolean;
  #dropped = 0;
  #show: (line: string) => void = () => undefined;

  /** `print` writes one line; `hold` where a table is to be drawn on the terminal that it writes to. */
  constructor(print: (line: string) => void, hold: boolean) {
    this.#print = print;
    this.#isHolding = hold;
  }

  log(line: string): void {
    if (!this.#isHolding) {
      this.#print(line);
      return;
    }
    this.#held.push(line);
    if (this.#held.length > MAX_HELD_LINES) {
      this.#held.shift();
      this.#dropped += 1;
    }
    this.#show(line);
  }

  /** Calls `show` with each line that is held from now on, and at once with the newest one so far. */
  showOn(show: (line: string) => void): void {
    this.#show = show;
    const last = this.#held.at(-1);
    if (last !== undefined) show(last);
  }

  /** The table is drawn for the last time: prints what was held. */
  release(): void {
    this.#isHolding = false;
    if (this.#dropped > 0) this.#print(`${this.#dropped} earlier lines are left out`);
    for (const line of this.#held.splice(0)) this.#print(line);
  }
}
