/**
 * The hostfile: one target a line, then optional `key=value` labels (values may be quoted). `#` starts a comment at
 * the start of a line or after a blank. Text in, targets out; the caller reads the file.
 */
import { labelProblem } from "../contract/expectation.js";
import type { Target } from "../contract/target.js";
import { TOOL_LABEL, toolPathProblem } from "../contract/tool-path.js";
import { cleanText } from "../lib/text.js";
import { parseTarget, targetKey } from "./parse-target.js";

export interface ParsedHostfile {
  readonly targets: readonly Target[];
  /** Each `file:line: what is wrong; what to do`. With any of them the run must not start. */
  readonly problems: readonly string[];
}

/** `file` is used only in messages and origins. Never throws. */
export function parseHostfile(text: string, file: string): ParsedHostfile {
  const targets: Target[] = [];
  const problems: string[] = [];
  const lines = text.replace(/^\ufeff/, "").split(/\r\n|\n|\r/);
  for (const [index, line] of lines.entries()) {
    const origin = `${file}:${index + 1}`;
    const words = splitWords(line);
    if (typeof words === "string") {
      problems.push(`${origin}: ${words}`);
      continue;
    }
    const [first, ...labelWords] = words;
    if (first === undefined) continue;
    const parsed = parseTarget(first, origin);
    const labels = parseLabels(labelWords);
    if (parsed.kind === "problem") problems.push(`${origin}: ${parsed.problem}`);
    if (typeof labels === "string") problems.push(`${origin}: ${labels}`);
    if (parsed.kind === "target" && typeof labels !== "string") targets.push({ ...parsed.target, labels });
  }
  if (targets.length === 0 && problems.length === 0) {
    problems.push(`${file}: holds no target; write one [user@]host[:port] a line`);
  }
  return { targets, problems };
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
