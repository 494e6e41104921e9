/** Patterns with `*` and `?`, as in OpenSSH's match.c. */

/** `*` is any run, `?` one character. Case matters. Never exponential: it only ever goes back to the last star. */
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
