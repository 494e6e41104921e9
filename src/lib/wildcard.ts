/** Patterns with `*` and `?` and comma lists of them, as OpenSSH's match.c reads them. The only matcher for ssh patterns. */
import { lowerAscii } from "./text.js";

// ssh's buffer for one pattern; a longer one makes the whole list match nothing.
const MAX_PATTERN_CHARS = 1022;

/** `*` is any run, `?` one character. Case matters. Never exponential: it backtracks only to the last star. */
export function matchPattern(text: string, pattern: string): boolean {
  let t = 0;
  let p = 0;
  let starAt = -1;
  let resumeAt = 0;
  while (t < text.length) {
    const wanted = pattern.charAt(p);
    if (wanted === "*") {
      starAt = p++;
      resumeAt = t;
    } else if (p < pattern.length && (wanted === "?" || wanted === text.charAt(t))) {
      t++;
      p++;
    } else if (starAt >= 0) {
      p = starAt + 1;
      t = ++resumeAt;
    } else return false;
  }
  while (pattern.charAt(p) === "*") p++;
  return p === pattern.length;
}

/**
 * A comma list with `!`, such as `a,*.b,!c` (match_pattern_list). "refused": a negated pattern matches, wherever it
 * stands. `foldCase` lowers the patterns; `text` must be in lower case already then.
 */
export function matchPatternList(
  text: string,
  list: string,
  foldCase = false,
): "matched" | "refused" | "unmatched" {
  let matched = false;
  for (const item of splitPatternList(list)) {
    const negated = item.startsWith("!");
    const pattern = negated ? item.slice(1) : item;
    if (isTooLong(pattern)) return "unmatched";
    if (!matchPattern(text, foldCase ? lowerAscii(pattern) : pattern)) continue;
    if (negated) return "refused";
    matched = true;
  }
  return matched ? "matched" : "unmatched";
}

/** A host name against a comma list, without regard to case (match_hostname). */
export function matchHostname(host: string, list: string): boolean {
  return matchPatternList(lowerAscii(host), list, true) === "matched";
}

/** The patterns of a list. A comma at its end starts no empty pattern. */
export function splitPatternList(list: string): string[] {
  const items = list.split(",");
  if (items.at(-1) === "") items.pop();
  return items;
}

/** False for a list of plain names, which match by equality: no wildcard, no negation, no pattern too long for ssh. */
export function hasPatterns(list: string): boolean {
  return /[*?!]/.test(list) || (list.length > MAX_PATTERN_CHARS && list.split(",").some(isTooLong));
}

function isTooLong(pattern: string): boolean {
  return pattern.length > MAX_PATTERN_CHARS;
}
