/**
 * Finds JSON in the output of vendor tools: after warnings and blank lines, one document or several, with a stray line
 * in the middle, with Python's NaN, or cut short. Whole parts are kept.
 */
import { valueAt } from "../../contract/dot-path.js";

/** A parsed JSON object; nothing is known about its values. */
export type JsonObject = Readonly<Record<string, unknown>>;

export interface FoundJson {
  /** Objects and arrays in the order of the text. */
  readonly documents: readonly unknown[];
  /** The text ends within a document, whose whole parts are in `documents`, or it has more documents than were read. */
  readonly cut: boolean;
}

const MAX_FALSE_STARTS = 64;
const MAX_REPAIRS = 16;
// No tool prints anything nested deeper.
const MAX_REPAIR_DEPTH = 64;
// Tools print one document, or one for each device.
const MAX_DOCUMENTS = 1000;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value at a path of keys, undefined where any step is not an object that has it: a list is no step. */
export function at(value: unknown, ...path: readonly string[]): unknown {
  let here = value;
  for (const key of path) here = isObject(here) ? valueAt(here, [key]) : undefined;
  return here;
}

/** The value of the first key that the object has. */
export function firstOf(value: unknown, keys: readonly string[]): unknown {
  for (const key of keys) {
    const found = at(value, key);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Every JSON object and array in the text, at most MAX_DOCUMENTS; none where there is no JSON. Never throws. */
export function findJson(text: string): FoundJson {
  if (!/[{[]/.test(text)) return { documents: [], cut: false };
  // The usual case, a text of one document, at a third of the cost.
  const only = /^\s*[{[]/.test(text) ? parsed(text) : undefined;
  if (only !== undefined) return { documents: [only], cut: false };
  const asPrinted = scan(text);
  const quiet = withoutNoise(text);
  if (quiet === text) return asPrinted;
  // With a stray line inside a document only its inner parts are found. The scan that covers more of the text wins.
  const cleaned = scan(quiet);
  return cleaned.covered > asPrinted.covered ? cleaned : asPrinted;
}

interface Scan extends FoundJson {
  /** Characters of the text that the documents cover. */
  readonly covered: number;
}

function scan(text: string): Scan {
  const documents: unknown[] = [];
  const effort = new Effort(text.length);
  let cut = false;
  let covered = 0;
  let falseStarts = 0;
  // The start of a JSON object or array; `[WARN]` and `{foo` are none.
  const start = /\{(?=\s*["}])|\[(?=\s*(?:[[{"\]\d-]|true|false|null|NaN))/g;
  for (let match = start.exec(text); match !== null; match = start.exec(text)) {
    if (documents.length === MAX_DOCUMENTS || effort.isSpent) {
      cut = true;
      break;
    }
    const extent = extentOf(text, match.index);
    effort.spend(extent.scanned);
    const found = valueIn(text, match.index, extent, effort);
    if (found === undefined) {
      if (++falseStarts >= MAX_FALSE_STARTS) break;
      continue;
    }
    documents.push(found.value);
    covered += found.end - match.index;
    if (extent.kind === "cut") {
      cut = true;
      break;
    }
    start.lastIndex = extent.end;
  }
  return { documents, cut, covered };
}

/** Bounds the work: no text is read more than a few times, whatever brackets and quotes are in it. */
class Effort {
  #left: number;

  constructor(characters: number) {
    this.#left = 256 * 1024 + 4 * characters;
  }

  get isSpent(): boolean {
    return this.#left <= 0;
  }

  spend(characters: number): void {
    this.#left -= characters;
  }
}

/** An open bracket: its closing bracket, and the open bracket around it. */
interface Open {
  readonly close: string;
  readonly around: Open | null;
}
interface Closing {
  readonly end: number;
  /** The brackets that are still open there. */
  readonly open: Open;
}
type Extent = { /** Characters that were scanned. */ readonly scanned: number } & (
  | { readonly kind: "whole"; readonly end: number }
  | { readonly kind: "cut"; readonly closings: readonly Closing[] }
);

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** The end of the bracket at `from`, or the last inner closings if it is never closed. Scans each character once. */
function extentOf(text: string, from: number): Extent {
  const closings: Closing[] = [];
  // Only the outer brackets are kept. Deeper ones are counted; the parser checks whether they match.
  let open: Open | null = null;
  let deeper = 0;
  let depth = 0;
  let at = from;
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      const end = endOfString(text, at);
      if (end < 0) break;
      at = end;
    } else if (code === OPEN_OBJECT || code === OPEN_LIST) {
      if (depth === MAX_REPAIR_DEPTH) deeper += 1;
      else {
        open = { close: code === OPEN_OBJECT ? "}" : "]", around: open };
        depth += 1;
      }
    } else if (code === CLOSE_OBJECT || code === CLOSE_LIST) {
      if (deeper > 0) {
        deeper -= 1;
        continue;
      }
      if (open === null || open.close.charCodeAt(0) !== code) break;
      open = open.around;
      depth -= 1;
      if (open === null) return { kind: "whole", end: at + 1, scanned: at + 1 - from };
      closings.push({ end: at + 1, open });
      if (closings.length > MAX_REPAIRS) closings.shift();
    }
  }
  return { kind: "cut", closings, scanned: Math.min(at + 1, text.length) - from };
}

/** The offset of the quote that closes the one at `from`; -1 if there is none. */
function endOfString(text: string, from: number): number {
  for (let at = text.indexOf('"', from + 1); at >= 0; at = text.indexOf('"', at + 1)) {
    let before = at - 1;
    while (before > from && text.charCodeAt(before) === BACKSLASH) before -= 1;
    // An even number of backslashes does not escape the quote.
    if ((at - before) % 2 === 1) return at;
  }
  return -1;
}

function valueIn(
  text: string,
  from: number,
  extent: Extent,
  effort: Effort,
): { readonly value: unknown; readonly end: number } | undefined {
  if (extent.kind === "whole") {
    effort.spend(extent.end - from);
    const value = parsed(text.slice(from, extent.end));
    return value === undefined ? undefined : { value, end: extent.end };
  }
  for (const { end, open } of extent.closings.toReversed()) {
    if (effort.isSpent) return undefined;
    effort.spend(end - from);
    let closed = text.slice(from, end);
    for (let each: Open | null = open; each !== null; each = each.around) closed += each.close;
    const value = parsed(closed);
    if (value !== undefined) return { value, end };
  }
  return undefined;
}

/** JSON.parse uses no stack for nesting, so no depth makes it fail. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    const standard = withoutNaN(text);
    if (standard === null) return undefined;
    try {
      return JSON.parse(standard) as unknown;
    } catch {
      return undefined;
    }
  }
}

/** The text with null for each of Python's NaN and Infinity outside strings; null if there is none. */
function withoutNaN(text: string): string | null {
  const token = /"|-?(?:NaN|Infinity)/g;
  let standard = "";
  let copied = 0;
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    if (match[0] === '"') {
      const end = endOfString(text, match.index);
      if (end < 0) break;
      token.lastIndex = end + 1;
    } else {
      standard += `${text.slice(copied, match.index)}null`;
      copied = token.lastIndex;
    }
  }
  return copied === 0 ? null : standard + text.slice(copied);
}

/** Without lines that cannot be pretty-printed JSON: warnings that came between its lines. */
function withoutNoise(text: string): string {
  return text
    .split("\n")
    .filter((line) => /^\s*(?:$|[{}\],"\d-]|\[(?![A-Za-z])|true|false|null|NaN)/.test(line))
    .join("\n");
}
