/** The flags that were given, as values of their kinds. */
import type { GivenFlags } from "./argv.js";
import { readChoice, readList, readNumber, readText, type NumberRange, type Problems } from "./values.js";

/** Flags by name, with their defaults; what is wrong is filed in `problems` and the default stands in. */
export class FlagReader {
  constructor(
    private readonly given: GivenFlags,
    readonly problems: Problems,
  ) {}
  has(flag: string): boolean {
    return this.given.texts.has(flag);
  }
  texts(flag: string): readonly string[] {
    return this.given.texts.get(flag) ?? [];
  }
  text(flag: string): string | null {
    const [text] = this.texts(flag);
    return text === undefined ? null : (readText(flag, text, this.problems) ?? null);
  }
  number(flag: string, initial: number, range: NumberRange): number {
    const [text] = this.texts(flag);
    return text === undefined
      ? initial
      : (readNumber(flag, text, { ...range, decimals: false }, this.problems) ?? initial);
  }
  /** `auto` where it is not given. */
  numberOrAuto(flag: string, range: NumberRange): number | "auto" {
    const text = this.texts(flag)[0] ?? "auto";
    const asked = { ...range, decimals: false, or: "auto" };
    return text === "auto" ? text : (readNumber(flag, text, asked, this.problems) ?? "auto");
  }
  decimal(flag: string, initial: number, range: NumberRange): number {
    const [text] = this.texts(flag);
    return text === undefined
      ? initial
      : (readNumber(flag, text, { ...range, decimals: true }, this.problems) ?? initial);
  }
  choice<const T extends string, const D extends T | null>(
    flag: string,
    choices: readonly T[],
    initial: D,
  ): T | D {
    const [text] = this.texts(flag);
    return text === undefined ? initial : (readChoice(flag, text, choices, this.problems) ?? initial);
  }
  list(flag: string): readonly string[] {
    return readList(flag, this.texts(flag), this.problems);
  }
}
