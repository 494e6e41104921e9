/**
 * The hostfile: one target or hostlist a line, then optional `key=value` labels (values may be quoted). `#` starts a
 * comment at the start of a line or after a blank. Text in, targets out; the caller reads the file.
 */
import { labelProblem } from "../contract/expectation.js";
import type { Target } from "../contract/target.js";
import { TOOL_LABEL, toolPathProblem } from "../contract/tool-path.js";
import { cleanText } from "../lib/text.js";
import { excludeTargets, type Exclusion } from "./exclude.js";
import { expandHostlist, HostBudget, isPlainName, type Lookups } from "./hostlist.js";
import { MAX_HOSTS } from "./ranges.js";
import { parseTarget, targetKey } from "./parse-target.js";

export interface ParsedHostfile {
  readonly targets: readonly Target[];
  /** Each `file:line: what is wrong; what to do`. With any of them the run must not start. */
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

export interface HostfileLine {
  readonly origin: string;
  /** A hostlist; null where the line could not be read. */
  readonly list: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly problem: string | null;
}

/** `file` is used only in messages and origins. `^name` leaves a host of this file out. Never rejects. */
export async function parseHostfile(
  text: string,
  file: string,
  lookups: Lookups,
  budget = new HostBudget(),
): Promise<ParsedHostfile> {
  const targets: Target[] = [];
  const problems: string[] = [];
  const excluded: Exclusion[] = [];
  for (const { origin, list: hosts, labels, problem: lineProblem } of readHostfileLines(text, file)) {
    if (lineProblem !== null) problems.push(`${origin}: ${lineProblem}`);
    if (hosts === null) continue;
    const list = await targetsOf(hosts, origin, lookups, budget);
    for (const problem of list.problems) problems.push(`${origin}: ${problem}`);
    for (const name of list.excluded) excluded.push({ text: name, origin });
    if (lineProblem !== null) continue;
    // Not spread into push: a line may be 100,000 hosts.
    for (const target of list.targets) targets.push({ ...target, labels });
  }
  if (targets.length === 0 && problems.length === 0) {
    problems.push(`${file}: holds no target; write one [user@]host[:port] a line`);
  }
  return { ...excludeTargets(targets, excluded), problems };
}

/** The lines that are neither blank nor comments, one by one: a file may be of 100,000. Never throws. */
export function* readHostfileLines(text: string, file: string): Generator<HostfileLine, void> {
  let number = 0;
  for (const line of linesOf(text.replace(/^\ufeff/, ""))) {
    number++;
    const origin = `${file}:${number}`;
    const words = splitWords(line);
    if (typeof words === "string") {
      yield { origin, list: null, labels: {}, problem: words };
      continue;
    }
    const [list, ...labelWords] = words;
    if (list === undefined) continue;
    const labels = parseLabels(labelWords);
    if (typeof labels === "string") yield { origin, list, labels: {}, problem: labels };
    else yield { origin, list, labels, problem: null };
  }
}

function* linesOf(text: string): Generator<string, void> {
  const end = /\r\n|\n|\r/g;
  let from = 0;
  for (let found = end.exec(text); found !== null; found = end.exec(text)) {
    yield text.slice(from, found.index);
    from = end.lastIndex;
  }
  yield text.slice(from);
}

export interface ListedTargets {
  readonly targets: readonly Target[];
  readonly excluded: readonly string[];
  /** Without file and line. */
  readonly problems: readonly string[];
}

/** A wrong character beside a range is wrong in each of its hosts. */
const MAX_PROBLEMS = 20;

/** The targets of one hostlist. Their labels are empty. Never rejects. */
export async function targetsOf(
  text: string,
  origin: string,
  lookups: Lookups,
  budget: HostBudget,
): Promise<ListedTargets> {
  const isPlain = isPlainName(text);
  if (isPlain && budget.left === 0)
    return { targets: [], excluded: [], problems: [`there are more than ${MAX_HOSTS} hosts; split them`] };
  if (isPlain) budget.take(1);
  const list = isPlain
    ? { names: [text], excluded: [], problems: [] }
    : await expandHostlist(text, lookups, budget);
  const targets: Target[] = [];
  const problems = [...list.problems];
  for (const name of list.names) {
    const parsed = parseTarget(name, origin);
    if (parsed.kind === "target") targets.push(parsed.target);
    else if (problems.length < MAX_PROBLEMS) problems.push(parsed.problem);
  }
  return { targets, excluded: list.excluded, problems };
}

export interface UniqueTargets {
  readonly targets: readonly Target[];
  readonly warnings: readonly string[];
}

/** Keeps the first of several targets with the same user, host and port. Each later one is a warning. */
export function uniqueTargets(targets: readonly Target[]): UniqueTargets {
  const seen = new Map<string, Target>();
  const warnings: string[] = [];
  for (const target of targets) {
    const key = targetKey(target);
    const first = seen.get(key);
    if (first === undefined) seen.set(key, target);
    else warnings.push(`${target.origin}: ${key} is already given at ${first.origin}; it is watched once`);
  }
  return { targets: [...seen.values()], warnings };
}

/** The words of a line without their quotes, or a problem. A quote may begin anywhere in a word: `a="b c"`. */
function splitWords(line: string): readonly string[] | string {
  const words: string[] = [];
  // Joined once: a text built character by character takes many times its length in memory.
  let word: string[] | null = null;
  let quote: string | null = null;
  for (const character of line) {
    if (quote !== null) {
      if (character === quote) quote = null;
      else (word ??= []).push(character);
    } else if (character === '"' || character === "'") {
      quote = character;
      word ??= [];
    } else if (character === " " || character === "\t") {
      if (word !== null) words.push(word.join(""));
      word = null;
    } else if (character === "#" && word === null) {
      break;
    } else {
      (word ??= []).push(character);
    }
  }
  if (quote !== null) return `a quote (${quote}) is not closed; close it on the same line`;
  if (word !== null) words.push(word.join(""));
  return words;
}

const LABEL = /^([A-Za-z_][A-Za-z0-9_.-]*)=(.*)$/s;

function parseLabels(words: readonly string[]): Readonly<Record<string, string>> | string {
  const labels = new Map<string, string>();
  for (const word of words) {
    const match = LABEL.exec(word);
    const shown = `"${cleanText(word)}"`;
    const [, key, value] = match ?? [];
    if (key === undefined || value === undefined) {
      return `${shown} after the target is not a label; write key=value, or # before a comment`;
    }
    if (labels.has(key)) return `the label ${key} is given twice; give it once`;
    if (cleanText(value) !== value) return `the label ${key} holds a control character; remove it`;
    const problem = labelProblem(key, value);
    if (problem !== null) return problem;
    const pathProblem = key.startsWith(TOOL_LABEL) ? toolPathProblem(value) : null;
    if (pathProblem !== null) return `the label ${key}: ${pathProblem}`;
    labels.set(key, value);
  }
  return Object.fromEntries(labels);
}
