/** The lines below the table that show what is wrong, whole: as many problems as have space, each with its fix. */
import { cleanText } from "../../lib/text.js";
import type { Look } from "./look.js";
import { counted } from "./quantities.js";
import type { Problem } from "./problems.js";
import { wrapText } from "./text-width.js";

const INDENT = "  ";
/** Places that a problem names. */
const MAX_PLACES = 5;
/** Narrower than this, nothing can be read in lines. */
const MIN_WIDTH = 20;

/** At most `rows` lines of at most `width`. A problem is there with all of its lines, or it is counted in the last one. */
export function detailLines(
  problems: readonly Problem[],
  width: number,
  rows: number,
  look: Look,
): readonly string[] {
  if (width < MIN_WIDTH) return [];
  const lines: string[] = [];
  for (const [at, problem] of problems.entries()) {
    const own = linesOf(problem, width, look);
    const isLast = at === problems.length - 1;
    if (lines.length + own.length > rows - (isLast ? 0 : 1)) {
      const more = counted(problems.length - at, lines.length === 0 ? "problem" : "more problem");
      return rows > lines.length ? [...lines, look.faint(more)] : lines;
    }
    lines.push(...own);
  }
  return lines;
}

/** How many lines all of them need, counted up to `most`. */
export function countDetailLines(
  problems: readonly Problem[],
  width: number,
  most: number,
  look: Look,
): number {
  let count = 0;
  for (const problem of problems) {
    if (count >= most) return most;
    count += width < MIN_WIDTH ? 0 : linesOf(problem, width, look).length;
  }
  return Math.min(count, most);
}

function linesOf({ places, kind, text, fix }: Problem, width: number, look: Look): readonly string[] {
  const more = places.length - MAX_PLACES;
  const named = more > 1 ? [...places.slice(0, MAX_PLACES), `${more} more`] : places;
  const what = wrapText(cleanText(`${named.join(", ")}: ${text}`), width, INDENT);
  const help = fix === null ? [] : wrapText(INDENT + cleanText(`fix: ${fix}`), width, INDENT + INDENT);
  return [...what.map(look.outcome[kind]), ...help];
}
