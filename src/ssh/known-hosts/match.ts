/** Whether a known_hosts name list names a host (match.c: match_pattern_list). Hashed names: hashed-name.ts. */
import { lowerAscii } from "../../lib/text.js";
import { matchPattern } from "../../lib/wildcard.js";

// ssh's buffer for one pattern; a longer one makes the whole list match nothing.
const MAX_PATTERN = 1022;

/** A list that a map of exact names cannot answer: wildcards, negation, or a pattern too long for ssh. */
export function needsMatching(list: string): boolean {
  return /[*?!]/.test(list) || (list.length > MAX_PATTERN && list.split(",").some(isTooLong));
}

/** `host` in lower case against `a,*.b,!c`. A negated pattern that matches decides, wherever it stands. */
export function matchesList(host: string, list: string): boolean {
  let named = false;
  for (const item of splitList(list)) {
    const negated = item.startsWith("!");
    const pattern = negated ? item.slice(1) : item;
    if (isTooLong(pattern)) return false;
    if (!matchPattern(host, lowerAscii(pattern))) continue;
    if (negated) return false;
    named = true;
  }
  return named;
}

/** The patterns of a list. A comma at its end starts no empty pattern. */
export function splitList(list: string): string[] {
  const items = list.split(",");
  if (items.at(-1) === "") items.pop();
  return items;
}

function isTooLong(pattern: string): boolean {
  return pattern.length > MAX_PATTERN;
}
