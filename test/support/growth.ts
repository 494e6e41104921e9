/** What a parser costs for a text that grows: twice the text, at most two and a half times the processor time. */
import assert from "node:assert/strict";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** By part: what each prints. A parser of one text has one part, of any name. */
export type Texts = ReadonlyMap<string, string>;

interface Growing {
  readonly what: string;
  /** How many characters are tried. */
  readonly length: number;
  /** About so many characters in each part. */
  texts(length: number): Texts;
}

const MAX_TIMES = 2.5;
/** Over three doublings, since what one costs more is as often the memory's doing as the parser's. */
const DOUBLINGS = 3;
/** Of a repeated unit, and of recordings, whose rows are longer. */
const UNIT_LENGTH = 96 * 1024;
const RECORDING_LENGTH = 384 * 1024;
/** What takes less cannot be told from noise; even were it the square, the most that is read would take some seconds. */
const NOTICEABLE_MS = 4;
const ROUNDS = 5;

/** Repeated, and in the middle of a recording: what might be looked at over and over. */
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

/** Fails, naming the text, where `read` is not linear in the length of a text made of `recordings` and of the units. */
export function assertLinear(recordings: readonly Texts[], read: (texts: Texts) => unknown): void {
  const slow = growing(recordings).flatMap((input) => {
    const times = growthOf(input, read);
    return times > MAX_TIMES ? [`${input.what}: ${times.toFixed(2)} times`] : [];
  });
  assert.deepEqual(slow, []);
}

/** The same of one kind of text, of `length` characters or lines at most. */
export function assertGrowsLinearly(
  length: number,
  text: (length: number) => string,
  read: (text: string) => unknown,
): void {
  const texts = (size: number): Texts => new Map([["text", text(size)]]);
  const times = growthOf({ what: "", length, texts }, (made) => read(made.get("text") ?? ""));
  assert.ok(times <= MAX_TIMES, `${times.toFixed(2)} times`);
}

/** The same of a parser that takes one text. */
export function assertTextLinear(recordings: readonly string[], read: (text: string) => unknown): void {
  assertLinear(
    recordings.map((text) => new Map([["text", text]])),
    (texts) => read(texts.get("text") ?? ""),
  );
}

/** How many times as long twice the text takes; 1 where that is too short to tell. */
function growthOf(input: Growing, read: (texts: Texts) => unknown): number {
  const { length } = input;
  // The square of a long text would take the test minutes.
  const early = timesOver(input.texts(length / 64), input.texts(length / 8), MAX_TIMES ** DOUBLINGS, read);
  if (early !== null && early > 2 * MAX_TIMES ** DOUBLINGS) return early ** (1 / DOUBLINGS);
  const large = input.texts(length);
  if (costMs(large, read) < NOTICEABLE_MS) return 1;
  const over = timesOver(input.texts(length / 2 ** DOUBLINGS), large, MAX_TIMES ** DOUBLINGS, read);
  if (over === null) return 1;
  // What grows so is so for a longer text as well; what only left the processor's caches is not.
  const again = timesOver(large, input.texts(length * 2), MAX_TIMES, read);
  return again ?? 1;
}

/** How many times as long the larger takes; null where that is at most `most` or too short to tell. */
function timesOver(small: Texts, large: Texts, most: number, read: (texts: Texts) => unknown): number | null {
  let [least, leastOfLarge] = [Infinity, Infinity];
  // A machine that does other things too makes single times longer, and never shorter.
  for (let round = 0; round < ROUNDS; round++) {
    if (round === 0 && costMs(large, read) < NOTICEABLE_MS) return null;
    collectGarbage();
    least = Math.min(least, costMs(small, read));
    collectGarbage();
    leastOfLarge = Math.min(leastOfLarge, costMs(large, read));
    if (leastOfLarge < NOTICEABLE_MS || leastOfLarge <= most * least) return null;
  }
  return leastOfLarge / least;
}

// What an earlier text has left would be collected in the time of whichever comes next.
setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

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
      const at = Math.floor(recorded.length * 0.6);
      return recorded.slice(0, at) + repeated(unit, length) + recorded.slice(at);
    }),
  ]);
  const lines = [...new Set([...fullest.values()].flatMap((text) => text.split("\n")))].filter(
    (line) => line !== "",
  );
  const some = lines.filter((_, at) => at % Math.ceil(lines.length / 12) === 0);
  return [
    ...units,
    ...some.map((line) =>
      each(`${line.slice(0, 60)}, again and again`, (_, length) => repeated(line, length)),
    ),
    ...recordings.flatMap((_, at): Growing[] => [
      {
        what: `recording ${String(at)}, again and again`,
        length: RECORDING_LENGTH,
        texts: (length) => mapped(recordings[at], (text) => repeated(text, length)),
      },
      {
        what: `recording ${String(at)}, each time with other numbers`,
        length: RECORDING_LENGTH,
        texts: (length) => mapped(recordings[at], (text) => numbered(text, length)),
      },
      {
        what: `recording ${String(at)} with long lists`,
        length: RECORDING_LENGTH,
        texts: (length) => mapped(recordings[at], (text) => withLongLists(text, length)),
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

/** Its lines below one another, every number in them another each time. */
function numbered(text: string, length: number): string {
  const [header = "", ...lines] = text.split("\n").filter((line) => line !== "");
  const rows = lines.length === 0 ? [header] : lines;
  let whole = `${header}\n`;
  for (let count = 0; whole.length < length; count++)
    for (const line of rows) whole += `${line.replaceAll(/(?<![\w.])\d+/g, String(count))}\n`;
  return whole;
}

/** JSON with so many copies of each list's elements, with other numbers, as make it about so long; else as it is. */
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
