/** What a terminal sends for keys, as keys (ECMA-48 section 5.4; xterm's "Control Sequences", PC-style function keys). */
import type { Key } from "../contract/keyboard.js";

/** What the terminal's driver makes of these keys when keys are not read one by one. */
export type KeySignal = "SIGINT" | "SIGTSTP" | "SIGQUIT";

export type Pressed =
  { readonly kind: "key"; readonly key: Key } | { readonly kind: "signal"; readonly signal: KeySignal };

const SIGNALS: Readonly<Record<string, KeySignal>> = {
  "\u0003": "SIGINT",
  "\u001a": "SIGTSTP",
  "\u001c": "SIGQUIT",
};
const LETTERS: Readonly<Record<string, Key>> = { q: "quit", Q: "quit" };
/** By what follows ESC [ or ESC O. */
const SEQUENCES: Readonly<Record<string, Key>> = {
  ...({ A: "up", B: "down", H: "home", F: "end" } as const),
  ...({ "5~": "page-up", "6~": "page-down" } as const),
  ...({ "1~": "home", "7~": "home", "4~": "end", "8~": "end" } as const),
};
const ESCAPE = "\u001b";
/** Introducer, parameters and final character; the end may still be missing. */
const SEQUENCE = /^\u001b(?:\[([0-?]*[ -/]*[@-~])|O([@-~])|\[[0-?]*[ -/]*$|O$|$)/;
/** A sequence that does not end is none. */
const MAX_SEQUENCE = 32;

export class KeyDecoder {
  #rest = "";

  /** Keys in order. What may go on (a lone ESC too) is kept for the next text, or for `flush`. */
  take(text: string): readonly Pressed[] {
    let rest = this.#rest + text;
    this.#rest = "";
    const pressed: Pressed[] = [];
    while (rest !== "") {
      const [first = ""] = rest;
      if (first !== ESCAPE) {
        pressed.push(...single(first));
        rest = rest.slice(1);
        continue;
      }
      const [whole, bracket, letter] = SEQUENCE.exec(rest) ?? [];
      const name = bracket ?? letter;
      if (whole !== undefined && name === undefined && rest.length < MAX_SEQUENCE) {
        this.#rest = rest;
        break;
      }
      // Any other key with ESC before it is that key with Alt, which means nothing here.
      const key = SEQUENCES[name ?? ""];
      if (key !== undefined) pressed.push({ kind: "key", key });
      rest = rest.slice(name === undefined || whole === undefined ? 2 : whole.length);
    }
    return pressed;
  }

  /** Whether the beginning of a sequence is kept. */
  get isWaiting(): boolean {
    return this.#rest !== "";
  }

  /** Nothing more has come: an ESC that was kept was the key. */
  flush(): readonly Pressed[] {
    const isEscape = this.#rest === ESCAPE;
    this.#rest = "";
    return isEscape ? [{ kind: "key", key: "quit" }] : [];
  }
}

function single(character: string): readonly Pressed[] {
  const signal = SIGNALS[character];
  if (signal !== undefined) return [{ kind: "signal", signal }];
  const key = LETTERS[character];
  return key === undefined ? [] : [{ kind: "key", key }];
}
