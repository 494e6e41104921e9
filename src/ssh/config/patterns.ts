/** Host patterns after OpenSSH's match.c. */
import { asciiLower } from "./lexer.js";

/** `*` is any run, `?` one character. Case matters. Never exponential: it goes back to the last star alone. */
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

const LONGEST_SUBPATTERN = 1022;

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
    if (pattern.length > LONGEST_SUBPATTERN) return "unmatched";
    if (!matchPattern(text, foldCase ? asciiLower(pattern) : pattern)) continue;
    if (negated) return "refused";
    matched = true;
  }
  return matched ? "matched" : "unmatched";
}

/** A host name against a comma list, without regard to case (match_hostname). */
export function matchHostname(host: string, list: string): boolean {
  return matchPatternList(asciiLower(host), list, true) === "matched";
}
