/** Readers for the value types that several keywords share. */
import { algorithmsSince, isAlgorithmList, type AlgorithmFamily } from "./algorithms.js";
import { LineProblem, NOTHING, set, type LineReader, type Reader } from "./line-reader.js";
import { parseInteger, parseSeconds } from "./values.js";

/** The words that a keyword accepts, in any case, with the output of `ssh -G` for each. */
export type Choices = Readonly<Record<string, string>>;

export const YES_NO: Choices = { true: "yes", false: "no", yes: "yes", no: "no" };
export const TRUE_FALSE: Choices = { true: "true", false: "false", yes: "true", no: "false" };

export function choice(choices: Choices): Reader {
  return (line, key) => {
    const word = line.next() ?? "";
    const value = Object.hasOwn(choices, word.toLowerCase()) ? choices[word.toLowerCase()] : undefined;
    if (word === "") throw new LineProblem("missing argument.");
    if (value === undefined) throw new LineProblem(`unsupported option "${word}".`);
    return set(key, value);
  };
}

export const readSeconds: Reader = (line, key) => {
  const seconds = takeSeconds(line);
  return seconds === null ? NOTHING : set(key, seconds);
};

/** Null for `none`, which leaves the option unset. */
export function takeSeconds(line: LineReader): number | null {
  const word = line.need("missing time value.");
  if (word === "none") return null;
  const seconds = parseSeconds(word);
  if (seconds === null) throw new LineProblem("invalid time value.");
  return seconds;
}

export const readInteger: Reader = (line, key) => {
  const value = parseInteger(line.next() ?? "");
  if (typeof value === "string") throw new LineProblem(`integer value ${value}.`);
  return set(key, value);
};

export const readRequired: Reader = (line, key) => set(key, line.need());

export const readCommand: Reader = (line, key) => set(key, line.command());

export function algorithms(family: AlgorithmFamily, what: string): Reader {
  return (line, key) => {
    const list = line.need();
    const since = algorithmsSince(list);
    const isTooNew = since > 0 && line.context.dialect < since;
    if (isTooNew || !isAlgorithmList(list, family)) throw new LineProblem(`Bad ${what} '${list}'.`);
    return set(key, list);
  };
}

/** All words of a line; `none` (and the other words in `exclusive`) must be the only one. */
export function takeList(
  line: LineReader,
  exclusive: readonly string[] = ["none"],
  allowEmpty = false,
): readonly string[] {
  const words = line.all();
  for (const word of words) {
    if (word === "" && !allowEmpty) throw new LineProblem(`keyword ${line.keyword} empty argument`);
    if (words.length > 1 && exclusive.includes(word.toLowerCase())) {
      throw new LineProblem(`keyword ${line.keyword} "${word}" argument must appear alone.`);
    }
  }
  return words;
}
