/**
 * JSON as vendor tools print it: after warnings and blank lines, one document or several, with a stray line in the
 * middle, with Python's NaN, or cut short. What is whole is kept.
 */

/** A JSON object as parsed: nothing is known of its values. */
export type JsonObject = Readonly<Record<string, unknown>>;

export interface FoundJson {
  /** Objects and arrays in the order of the text. */
  readonly documents: readonly unknown[];
  /** The text ends within a document, whose whole parts are in `documents`, or it has more than those. */
  readonly cut: boolean;
}

// A text of brackets alone would otherwise cost the square of its length.
const MOST_FALSE_STARTS = 64;
const MOST_REPAIRS = 16;
// Tools print one, or one a device.
const MOST_DOCUMENTS = 1000;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value at a path of keys, undefined where any step is not an object that has it. */
export function at(value: unknown, ...path: readonly string[]): unknown {
  let here = value;
  for (const key of path) {
    if (!isObject(here) || !Object.hasOwn(here, key)) return undefined;
    here = here[key];
  }
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

/** Every JSON object and array in the text, of thousands the first ones; none where there is no JSON. Never throws. */
export function findJson(text: string): FoundJson {
  if (!/[{[]/.test(text)) return { documents: [], cut: false };
  // The usual case at a third of the price: nothing but one document.
  const only = /^\s*[{[]/.test(text) ? parsed(text) : undefined;
  if (only !== undefined) return { documents: [only], cut: false };
  const asPrinted = scan(text);
  const quiet = withoutNoise(text);
  if (quiet === text) return asPrinted;
  // A line between a document's lines leaves only inner parts to be found: take what explains more of the text.
  const cleaned = scan(quiet);
  return cleaned.covered > asPrinted.covered ? cleaned : asPrinted;
}

interface Scan extends FoundJson {
  /** How many characters the documents take. */
  readonly covered: number;
}

function scan(text: string): Scan {
  const documents: unknown[] = [];
  let cut = false;
  let covered = 0;
  let falseStarts = 0;
  // What can begin a JSON object or array; `[WARN]` and `{foo` cannot.
  const start = /\{(?=\s*["}])|\[(?=\s*(?:[[{"\]\d-]|true|false|null|NaN))/g;
  for (let match = start.exec(text); match !== null; match = start.exec(text)) {
    if (documents.length === MOST_DOCUMENTS) {
      cut = true;
      break;
    }
    const extent = extentOf(text, match.index);
    const found = valueIn(text, match.index, extent);
    if (found === undefined) {
      if (++falseStarts >= MOST_FALSE_STARTS) break;
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

interface Closing {
  readonly end: number;
  /** What closes the brackets that are still open there, innermost first. */
  readonly open: string;
}
type Extent =
  | { readonly kind: "whole"; readonly end: number }
  | { readonly kind: "cut"; readonly closings: readonly Closing[] };

/** Where the bracket at `from` is closed, or the last inner closings where it never is. */
function extentOf(text: string, from: number): Extent {
  const token = /"[^"\\]*(?:\\[^][^"\\]*)*"|[{}[\]]/g;
  token.lastIndex = from;
  const closings: Closing[] = [];
  let open = "";
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    const [mark] = match;
    if (mark === "{") open = `}${open}`;
    else if (mark === "[") open = `]${open}`;
    else if (mark === "}" || mark === "]") {
      if (!open.startsWith(mark)) break;
      open = open.slice(1);
      if (open === "") return { kind: "whole", end: token.lastIndex };
      closings.push({ end: token.lastIndex, open });
      if (closings.length > MOST_REPAIRS) closings.shift();
    }
    if (open.length > 256) break;
  }
  return { kind: "cut", closings };
}

function valueIn(
  text: string,
  from: number,
  extent: Extent,
): { readonly value: unknown; readonly end: number } | undefined {
  const closings = extent.kind === "whole" ? [{ end: extent.end, open: "" }] : extent.closings.toReversed();
  for (const { end, open } of closings) {
    const value = parsed(text.slice(from, end) + open);
    if (value !== undefined) return { value, end };
  }
  return undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    try {
      return JSON.parse(text.replace(/([:[,]\s*)-?(?:NaN|Infinity)(?=\s*[,}\]])/g, "$1null")) as unknown;
    } catch {
      return undefined;
    }
  }
}

/** Without the lines that no pretty-printed JSON has: warnings that came between its lines. */
function withoutNoise(text: string): string {
  return text
    .split("\n")
    .filter((line) => /^\s*(?:$|[{}\],"\d-]|\[(?![A-Za-z])|true|false|null|NaN)/.test(line))
    .join("\n");
}
