/** Flag texts to typed values. A wrong value is one problem: a line with the flag and what is allowed. */
import { closestName } from "../lib/closest-name.js";
import { cleanText } from "../lib/text.js";
import type { GivenFlags } from "./argv.js";

/** Collects the problems of a command line, so that all are reported at once. */
export class Problems {
  readonly list: string[] = [];
  add(problem: string): void {
    this.list.push(problem);
  }
}

export interface NumberRange {
  readonly min: number;
  readonly max: number;
}

/** Flags by name, with their defaults. Where a value is wrong, the problem is added and the default returned. */
export class FlagReader {
  constructor(
    private readonly given: GivenFlags,
    readonly problems: Problems,
  ) {}

  has(flag: string): boolean {
    return this.given.texts.has(flag);
  }

  /** How often the flag was given. */
  count(flag: string): number {
    return this.texts(flag).length;
  }

  texts(flag: string): readonly string[] {
    return this.given.texts.get(flag) ?? [];
  }

  /** A path or another text that must not be empty; null where it is not given. */
  text(flag: string): string | null {
    return this.nonEmpty(flag).at(-1) ?? null;
  }

  /** All texts of a repeatable flag that must not be empty. */
  nonEmpty(flag: string): readonly string[] {
    return this.texts(flag).filter((text) => {
      const isGood = text !== "" && !text.includes("\0");
      if (!isGood) this.problems.add(`--${flag}: needs a value that is not empty`);
      return isGood;
    });
  }

  number(flag: string, initial: number, range: NumberRange): number {
    return this.#read(flag, initial, (text) => this.#number(flag, text, WHOLE, range));
  }

  numberOrAuto(flag: string, range: NumberRange): number | "auto" {
    return this.#read(flag, "auto", (text) =>
      text === "auto" ? text : this.#number(flag, text, WHOLE, range, ", or auto"),
    );
  }

  decimal(flag: string, initial: number, range: NumberRange): number {
    return this.#read(flag, initial, (text) => this.#number(flag, text, DECIMAL, range));
  }

  choice<const T extends string, const D extends T | null>(
    flag: string,
    choices: readonly T[],
    initial: D,
  ): T | D {
    return this.#read(flag, initial, (text) => this.choose(flag, text, choices));
  }

  /** `text` where it is one of `choices`. */
  choose<const T extends string>(flag: string, text: string, choices: readonly T[]): T | undefined {
    const found = choices.find((choice) => choice === text);
    if (found === undefined)
      this.problems.add(
        `--${flag}: "${cleanText(text)}" is not one of ${choices.join(", ")}${hintFor(text, choices)}`,
      );
    return found;
  }

  /** The entries of comma lists, without the blanks around them; an empty entry is a problem. */
  list(flag: string): readonly string[] {
    const entries = this.texts(flag).flatMap((text) => text.split(",").map((entry) => entry.trim()));
    if (entries.includes(""))
      this.problems.add(`--${flag}: has an empty entry; separate the entries by single commas`);
    return entries.filter((entry) => entry !== "");
  }

  #read<Value, Initial>(
    flag: string,
    initial: Initial,
    read: (text: string) => Value | undefined,
  ): Value | Initial {
    // The last one counts, so that an alias or a file can be overruled.
    const text = this.texts(flag).at(-1);
    return text === undefined ? initial : (read(text) ?? initial);
  }

  #number(
    flag: string,
    text: string,
    { pattern, name }: typeof WHOLE,
    { min, max }: NumberRange,
    or = "",
  ): number | undefined {
    const value = Number(text);
    if (pattern.test(text) && value >= min && value <= max) return value;
    this.problems.add(`--${flag}: "${cleanText(text)}" is not ${name} from ${min} to ${max}${or}`);
    return undefined;
  }
}

/** `gpus` most likely means `gpu`. */
function hintFor(text: string, choices: readonly string[]): string {
  const closest = closestName(text.toLowerCase(), choices);
  return closest === undefined ? "" : `; did you mean ${closest}?`;
}

/** Plain digits: no sign, exponent or hexadecimal. */
const WHOLE = { pattern: /^\d+$/, name: "a whole number" };
const DECIMAL = { pattern: /^(\d+\.?\d*|\.\d+)$/, name: "a number" };
