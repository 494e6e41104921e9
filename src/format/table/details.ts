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

/**
 * At most `rows` lines of at most `width`. A problem is there with all of its lines, or it is counted in the last one; only
 * where none has space the first one is cut.
 */
export function detailLines(
  problems: readonly Problem[],
  width: number,
  rows: number,
  look: Look,
): readonly string[] {
  if (width < MIN_WIDTH || rows < 1) return [];
  const lines: string[] = [];
  let left = 0;
  for (const [at, problem] of problems.entries()) {
    const own = linesOf(problem, width, look);
    // One line is kept for the count, unless this is the last and none was left out.
    const forCount = left === 0 && at === problems.length - 1 ? 0 : 1;
    if (lines.length + own.length <= rows - forCount) lines.push(...own);
    else if (lines.length >= rows - 1) return withCount(lines, left + problems.length - at, look);
    else left += 1;
  }
  const [first] = problems;
  if (lines.length === 0 && first !== undefined) {
    lines.push(...linesOf(first, width, look).slice(0, rows - (left > 1 ? 1 : 0)));
    left -= 1;
  }
  return withCount(lines, left, look);
}

function withCount(lines: readonly string[], left: number, look: Look): readonly string[] {
  if (left === 0) return lines;
  return [...lines, look.faint(counted(left, lines.length === 0 ? "problem" : "more problem"))];
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
