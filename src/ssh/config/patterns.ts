/** Host patterns after OpenSSH's match.c. */
import { lowerAscii } from "../../lib/text.js";
import { matchPattern } from "../../lib/wildcard.js";

const MAX_SUBPATTERN = 1022;

/** A comma list with `!`: "refused" when a negated pattern matches, whatever else does. */
export function matchPatternList(
  text: string,
  list: string,
  foldCase = false,
): "matched" | "refused" | "unmatched" {
  let matched = false;
  if (list === "") return "unmatched";
  for (const item of list.split(",")) {
    const negated = item.startsWith("!");
    const pattern = negated ? item.slice(1) : item;
    if (pattern.length > MAX_SUBPATTERN) return "unmatched";
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
