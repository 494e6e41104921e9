/** Flag texts to typed values. Each reader returns the value or files one line that names the flag and what is allowed. */
import { cleanText } from "../lib/text.js";

/** Collects the problems of a command line, so that all are told at once. */
export class Problems {
  readonly list: string[] = [];
  add(problem: string): void {
    this.list.push(problem);
  }
}

export interface NumberRange {
  readonly min: number;
  readonly max: number;
  /** A word that is allowed too, for the message. */
  readonly or?: string;
}

/** Plain digits, with decimals when `decimals`; no sign, exponent or hexadecimal. Undefined when it was filed as wrong. */
export function readNumber(
  flag: string,
  text: string,
  range: NumberRange & { readonly decimals: boolean },
  problems: Problems,
): number | undefined {
  const wellFormed = (range.decimals ? /^(\d+\.?\d*|\.\d+)$/ : /^\d+$/).test(text);
  const value = Number(text);
  if (wellFormed && value >= range.min && value <= range.max) return value;
  const what = range.decimals ? "a number" : "a whole number";
  const or = range.or === undefined ? "" : `, or ${range.or}`;
  problems.add(`--${flag}: "${cleanText(text)}" is not ${what} from ${range.min} to ${range.max}${or}`);
  return undefined;
}

export function readChoice<const T extends string>(
  flag: string,
  text: string,
  choices: readonly T[],
  problems: Problems,
): T | undefined {
  const found = choices.find((choice) => choice === text);
  if (found === undefined)
    problems.add(`--${flag}: "${cleanText(text)}" is not one of ${choices.join(", ")}`);
  return found;
}

/** A path or other text that must not be empty. */
export function readText(flag: string, text: string, problems: Problems): string | undefined {
  if (text !== "" && !text.includes("\0")) return text;
  problems.add(`--${flag}: needs a value that is not empty`);
  return undefined;
}

/** The entries of comma lists, blanks around them dropped; an empty entry is filed as wrong. */
export function readList(flag: string, texts: readonly string[], problems: Problems): readonly string[] {
  const entries = texts.flatMap((text) => text.split(",")).map((entry) => entry.trim());
  if (entries.includes(""))
    problems.add(`--${flag}: has an empty entry; separate the entries by single commas`);
  return entries.filter((entry) => entry !== "");
}
