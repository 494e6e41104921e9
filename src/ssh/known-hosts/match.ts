/** Whether a known_hosts name list names a host (match.c: match_pattern_list). Hashed names: hashed-name.ts. */

// ssh's buffer for one pattern; a longer one makes the whole list match nothing.
const LONGEST_PATTERN = 1022;

/** A list that a map of exact names cannot answer: wildcards, negation, or a pattern too long for ssh. */
export function needsMatching(list: string): boolean {
  return /[*?!]/.test(list) || (list.length > LONGEST_PATTERN && list.split(",").some(isTooLong));
}

/** `host` in lower case against `a,*.b,!c`. A negated pattern that matches decides, wherever it stands. */
export function matchesList(host: string, list: string): boolean {
  let named = false;
  for (const item of splitList(list)) {
    const negated = item.startsWith("!");
    const pattern = negated ? item.slice(1) : item;
    if (isTooLong(pattern)) return false;
    if (!matchesGlob(host, lowerAscii(pattern))) continue;
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

/** `*` is any run of characters, `?` any one; everything else is itself. Never worse than text times pattern. */
export function matchesGlob(text: string, pattern: string): boolean {
  let at = 0;
  let from = 0;
  let star = -1;
  let starText = 0;
  while (at < text.length) {
    const c = pattern[from];
    if (c === "*") {
      star = from++;
      starText = at;
    } else if (c !== undefined && (c === "?" || c === text[at])) {
      from++;
      at++;
    } else if (star >= 0) {
      from = star + 1;
      at = ++starText;
    } else {
      return false;
    }
  }
  while (pattern[from] === "*") from++;
  return from === pattern.length;
}

/** A to Z alone: the files are bytes to ssh, and bytes above 127 have no case. */
export function lowerAscii(text: string): string {
  return text.replace(/[A-Z]+/g, (capitals) => capitals.toLowerCase());
}

function isTooLong(pattern: string): boolean {
  return pattern.length > LONGEST_PATTERN;
}
