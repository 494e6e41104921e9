/** Which rows of the table are on the screen, where not all have space. */
import type { Key } from "../../contract/keyboard.js";

/** What moves them. */
export type ScrollKey = Exclude<Key, "quit">;

export class Scroll {
  #first = 0;
  #page = 1;
  #last = 0;

  /** The first row that is shown, of `total` where `shown` have space. */
  within(total: number, shown: number): number {
    this.#page = Math.max(1, shown);
    this.#last = Math.max(0, total - shown);
    this.#first = Math.min(this.#first, this.#last);
    return this.#first;
  }

  /** Returns whether other rows are to be shown. */
  press(key: ScrollKey): boolean {
    const before = this.#first;
    const wished = {
      up: before - 1,
      down: before + 1,
      "page-up": before - this.#page,
      "page-down": before + this.#page,
      home: 0,
      end: this.#last,
    }[key];
    this.#first = Math.min(this.#last, Math.max(0, wished));
    return this.#first !== before;
  }
}
