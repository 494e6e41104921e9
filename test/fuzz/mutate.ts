/** Makes a hostile text of a recorded one: edits, copies, cuts, pieces of another recording, and what breaks parsers. */

export type Random = () => number;

const PIECES = [
  "",
  "0",
  "-1",
  "1e999",
  "99999999999999999999",
  "NaN",
  "18446744073709551615",
  '"',
  "\\",
  "{",
  "}",
  "[",
  "]",
  "<",
  "</",
  ",",
  ":",
  "|",
  "\n",
  "\r\n",
  "\u0000",
  "\u001b[31m",
  "\ufffd",
  "[N/A]",
  "__proto__",
  "constructor",
] as const;
/** An answer may have 8 MiB; most cases are small, so that there are many. */
const MAX_REPEATS = 2000;

const below = (random: Random, count: number): number => Math.floor(random() * count);
export const pick = <T>(random: Random, items: readonly T[]): T | undefined =>
  items[below(random, items.length)];

/** One to eight changes. `other`: a text to take pieces of. */
export function mutate(text: string, other: string, random: Random): string {
  let now = text;
  for (let left = 1 + below(random, 8); left > 0; left--) now = changed(now, other, random);
  return now;
}

function changed(text: string, other: string, random: Random): string {
  const at = below(random, text.length + 1);
  const length = below(random, random() < 0.2 ? text.length + 1 : 24);
  const rest = text.slice(at + length);
  const piece = pick(random, PIECES) ?? "";
  switch (below(random, 8)) {
    case 0:
      return text.slice(0, at) + rest;
    case 1:
      return text.slice(0, at);
    case 2:
      return text.slice(0, at) + text.slice(at, at + length).repeat(2) + rest;
    case 3: {
      const from = below(random, other.length + 1);
      return text.slice(0, at) + other.slice(from, from + 1 + below(random, 400)) + rest;
    }
    case 4:
      return text.slice(0, at) + piece.repeat(random() < 0.05 ? below(random, MAX_REPEATS) : 3) + rest;
    case 5:
      return text.slice(0, at) + String.fromCharCode(below(random, random() < 0.9 ? 256 : 65_536)) + rest;
    case 6: {
      const lines = text.split("\n");
      const line = lines[below(random, lines.length)] ?? "";
      lines.splice(below(random, lines.length), 0, line);
      return lines.join("\n");
    }
    default:
      return text.slice(0, at) + piece + rest;
  }
}
