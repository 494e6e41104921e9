/** A script as the one argument of `sh -c`, in quotes that every login shell leaves as they are. */

// What a login shell other than sh acts on inside single quotes: csh history (`!`, but not before a blank), fish's
// escapes (`\\`), line ends.
const UNSAFE_IN_QUOTES = /['\n\r]|\\\\|!(?! )/;
const BEFORE = "exec /bin/sh -c '";
const AFTER = "'";
/** Safe or not by what stands beside it. */
const PERHAPS_UNSAFE = /['\n\r\\!]/;

/** A script, and the command that its host's login shell gets. Each is put together when it is asked for. */
export interface Script {
  readonly text: string;
  /** Throws as `shellCommand` does. */
  readonly command: string;
}

/** `exec /bin/sh -c '...'`. Throws when a part breaks the rule that keeps every login shell from changing it. */
export function shellCommand(script: string): string {
  const unsafe = UNSAFE_IN_QUOTES.exec(script);
  if (unsafe !== null) {
    const start = Math.max(0, unsafe.index - 30);
    const context = script.slice(start, unsafe.index + 10);
    throw new Error(
      `remote script: ${JSON.stringify(unsafe[0])} is unsafe in quotes, near ${JSON.stringify(context)}`,
    );
  }
  return `${BEFORE}${script}${AFTER}`;
}

export function scriptOf(text: string): Script {
  return {
    text,
    get command() {
      return shellCommand(text);
    },
  };
}

/** A script that each host gets with its own text in a few places: the twenty kilobytes around them are checked once. */
export class ScriptWithPlaces {
  /** The text before, between and after the places, in the order in which they come. */
  readonly #pieces: readonly string[];
  /** For each place in that order its index in `places`. */
  readonly #order: readonly number[];
  #isChecked = false;

  /** `places`: texts of which each comes once. */
  constructor(text: string, places: readonly string[]) {
    const found = places.map((place, index) => ({ place, index, at: text.indexOf(place) }));
    found.sort((a, b) => a.at - b.at);
    let from = 0;
    const pieces: string[] = [];
    for (const { place, at } of found) {
      if (at < from) throw new Error(`remote script: no ${place}`);
      pieces.push(text.slice(from, at));
      from = at + place.length;
    }
    this.#pieces = [...pieces, text.slice(from)];
    this.#order = found.map(({ index }) => index);
  }

  /** `values`: one for each place. */
  fill(values: readonly string[]): Script {
    const text = (): string => this.#join(values, "", "");
    const command = (): string => this.#command(values);
    return {
      get text() {
        return text();
      },
      get command() {
        return command();
      },
    };
  }

  #command(values: readonly string[]): string {
    const isPlain = !values.some((value) => PERHAPS_UNSAFE.test(value));
    if (isPlain && this.#isChecked) return this.#join(values, BEFORE, AFTER);
    const checked = shellCommand(this.#join(values, "", ""));
    this.#isChecked ||= isPlain;
    return checked;
  }

  /** One text, and not pieces that V8 puts together when they are read. */
  #join(values: readonly string[], before: string, after: string): string {
    const texts = [before];
    this.#pieces.forEach((piece, at) => texts.push(piece, values[this.#order[at] ?? -1] ?? ""));
    texts.push(after);
    return texts.join("");
  }
}
