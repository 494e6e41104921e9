/**
 * Asserts that the cost of a parser grows linearly: twice the text takes at most 2.3 times the processor time.
 * Most texts need one run of the longer text and two of the shorter; only a suspicious ratio is measured again, with
 * garbage collected before each run.
 */
import assert from "node:assert/strict";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Output by part id. A parser of one text has one part, of any name. */
export type Texts = ReadonlyMap<string, string>;

interface Growing {
  readonly what: string;
  /** Characters of the text that is measured. */
  readonly length: number;
  /** Texts with about `length` characters in each part. */
  texts(length: number): Texts;
}

const MAX_GROWTH = 2.3;
/** The growth over one doubling is often due to memory, so it is measured over three. */
const DOUBLINGS = 3;
const GROWTH_OF_ALL = MAX_GROWTH ** DOUBLINGS;
/** Characters of a repeated unit, and of a repeated recording, whose rows are longer. */
const UNIT_LENGTH = 24 * 1024;
const RECORDING_LENGTH = 96 * 1024;
/** A lower cost cannot be distinguished from noise. Even if it grew with the square, MAX_ANSWER_BYTES would take seconds. */
const MIN_COST_MS = 0.5;
/** If the cost of a short text is higher, that of the long one might be minutes. */
const LONG_COST_MS = 50;
const ROUNDS = 9;

/** Tried alone and in the middle of a recording: text that a parser might scan again and again. */
const UNITS = [
  ...[
    '"',
    '\\"',
    "\\",
    "[",
    "{",
    '{"a":',
    '[{"',
    "]",
    "}",
    ",",
    ", ",
    "(UUID: ",
    "(",
    ")",
    "<",
    "<a",
    "&amp;",
  ],
  ...[
    " ",
    "\t",
    "\n",
    " \n",
    "\r",
    "1",
    "1 ",
    "1,",
    ":",
    ": ",
    "-",
    "- ",
    "/",
    " / ",
    "%",
    "N/A",
    "N/A ",
    "[N/A], ",
  ],
  ...[
    "|",
    "| ",
    "|\n",
    "+--+\n",
    "│",
    "─",
    "━┃ ",
    "=",
    "@",
    "\u001b[",
    "\u001b]8;",
    ";#",
    "a",
    "a ",
    "\ud83d\ude00",
    "0x",
  ],
  ...[
    '{"a":1}',
    '{"a":1}\n',
    '["\\""',
    "NaN,",
    "[NaN,",
    "1e999,",
    "\0",
    "cpu1 1 1 1 1\n",
    "0-65535\n",
    "SSH-",
  ],
];

/** Fails with the names of the texts, made of `recordings` and of UNITS, for which the cost of `read` is not linear. */
export function assertLinear(recordings: readonly Texts[], read: (texts: Texts) => unknown): void {
  const slow = growing(recordings).flatMap((input) => {
    const growth = growthOf(input, read);
    return growth > MAX_GROWTH ? [`${input.what}: ${growth.toFixed(2)} times`] : [];
  });
  assert.deepEqual(slow, []);
}

/** The same for one kind of text, of `length` characters or lines. */
export function assertGrowsLinearly(
  length: number,
  text: (length: number) => string,
  read: (text: string) => unknown,
): void {
  const texts = (size: number): Texts => new Map([["text", text(size)]]);
  const growth = growthOf({ what: "", length, texts }, (made) => read(made.get("text") ?? ""));
  assert.ok(growth <= MAX_GROWTH, `${growth.toFixed(2)} times`);
}

/** The same for a parser of one text. */
export function assertTextLinear(recordings: readonly string[], read: (text: string) => unknown): void {
  assertLinear(
    recordings.map((text) => new Map([["text", text]])),
    (texts) => read(texts.get("text") ?? ""),
  );
}

/** By which factor twice the text costs more; 1 where the cost is too small to measure. */
function growthOf(input: Growing, read: (texts: Texts) => unknown): number {
  const { length } = input;
  const small = input.texts(length / 2 ** DOUBLINGS);
  const smallMs = costMs(small, read);
  if (smallMs > LONG_COST_MS) {
    // A shorter text first: the square of a long one would take the test minutes.
    const growth = ratioOver(input.texts(length / 4 ** DOUBLINGS), small, GROWTH_OF_ALL, read);
    if (growth !== null && growth > 2 * GROWTH_OF_ALL) return growth ** (1 / DOUBLINGS);
  }
  const large = input.texts(length);
  const largeMs = costMs(large, read);
  // Most texts end here. The second run of the smaller finds warm code: a slow first one would hide growth.
  if (isFine(largeMs, Math.min(smallMs, costMs(small, read)))) return 1;
  if (ratioOver(small, large, GROWTH_OF_ALL, read) === null) return 1;
  // Cost that really grows so does for a longer text as well; a step that only left the processor's caches does not.
  return ratioOver(large, input.texts(length * 2), MAX_GROWTH, read) ?? 1;
}

function isFine(largeMs: number, smallMs: number, max = GROWTH_OF_ALL): boolean {
  return largeMs < MIN_COST_MS || largeMs <= max * smallMs;
}

/**
 * Cost of the larger text over that of the smaller, with garbage collected before each run; null where it is at most `max`
 * or too small to measure.
 */
function ratioOver(small: Texts, large: Texts, max: number, read: (texts: Texts) => unknown): number | null {
  let minSmall = Infinity;
  let minLarge = Infinity;
  // Other work on the machine makes single measurements longer, never shorter.
  for (let round = 0; round < ROUNDS; round++) {
    collectGarbage();
    minSmall = Math.min(minSmall, costMs(small, read));
    collectGarbage();
    minLarge = Math.min(minLarge, costMs(large, read));
    if (isFine(minLarge, minSmall, max)) return null;
  }
  return minLarge / minSmall;
}

// Garbage of an earlier text would be collected during the next measurement.
setFlagsFromString("--expose-gc");
export const collectGarbage = runInNewContext("gc") as () => void;

function costMs(texts: Texts, read: (texts: Texts) => unknown): number {
  const before = process.cpuUsage();
  read(texts);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

function growing(recordings: readonly Texts[]): readonly Growing[] {
  const ids = [...new Set(recordings.flatMap((texts) => [...texts.keys()]))];
  const fullest = recordings.toSorted((a, b) => size(b) - size(a))[0] ?? new Map<string, string>();
  const each = (what: string, text: (recorded: string, length: number) => string): Growing => ({
    what,
    length: UNIT_LENGTH,
    texts: (length) => new Map(ids.map((id) => [id, text(fullest.get(id) ?? "", length)])),
  });
  const units = UNITS.flatMap((unit) => [
    each(`${JSON.stringify(unit)} alone`, (_, length) => repeated(unit, length)),
    each(`${JSON.stringify(unit)} in a recording`, (recorded, length) => {
      const offset = Math.floor(recorded.length * 0.6);
      return recorded.slice(0, offset) + repeated(unit, length) + recorded.slice(offset);
    }),
  ]);
  const lines = [...new Set([...fullest.values()].flatMap((text) => text.split("\n")))].filter(
    (line) => line !== "",
  );
  const some = lines.filter((_, index) => index % Math.ceil(lines.length / 12) === 0);
  return [
    ...units,
    ...some.map((line) => each(`${line.slice(0, 60)}, repeated`, (_, length) => repeated(line, length))),
    ...recordings.flatMap((_, index): Growing[] => [
      {
        what: `recording ${String(index)}, repeated`,
        length: RECORDING_LENGTH,
        texts: (length) => mapped(recordings[index], (text) => repeated(text, length)),
      },
      {
        what: `recording ${String(index)}, each time with other numbers`,
        length: RECORDING_LENGTH,
        texts: (length) => mapped(recordings[index], (text) => numbered(text, length)),
      },
      {
        what: `recording ${String(index)} with long lists`,
        length: RECORDING_LENGTH,
        texts: (length) => mapped(recordings[index], (text) => withLongLists(text, length)),
      },
    ]),
  ];
}

function size(texts: Texts): number {
  return [...texts.values()].reduce((sum, text) => sum + text.length, 0);
}

function mapped(texts: Texts | undefined, change: (text: string) => string): Texts {
  return new Map([...(texts ?? [])].map(([id, text]) => [id, text === "" ? "" : change(text)]));
}

function repeated(unit: string, length: number): string {
  return unit.repeat(Math.ceil(length / unit.length));
}

/** The lines of a recording repeated, with other numbers each time. */
function numbered(text: string, length: number): string {
  const [header = "", ...lines] = text.split("\n").filter((line) => line !== "");
  const rows = lines.length === 0 ? [header] : lines;
  let whole = `${header}\n`;
  for (let count = 0; whole.length < length; count++)
    for (const line of rows) whole += `${line.replaceAll(/(?<![\w.])\d+/g, String(count))}\n`;
  return whole;
}

/** JSON whose lists have so many copies of their elements, with other numbers, that it has about `length` characters. */
function withLongLists(text: string, length: number): string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return numbered(text, length);
  }
  const copies = Math.max(1, Math.floor(length / JSON.stringify(value).length));
  return JSON.stringify(Array.isArray(value) ? copied(value, copies) : withCopies(value, copies));
}

function withCopies(value: unknown, copies: number): unknown {
  if (Array.isArray(value)) return copied(value, copies);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withCopies(item, copies)]));
}

function copied(list: readonly unknown[], copies: number): readonly unknown[] {
  return Array.from({ length: copies }).flatMap((_, count) =>
    list.map(
      (item) =>
        JSON.parse(
          JSON.stringify(item).replaceAll(/(?<=[:" ,[])\d+(?=[",\s}\]])/g, String(count)),
        ) as unknown,
    ),
  );
}
