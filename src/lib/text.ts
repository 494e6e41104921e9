/** Remote text made safe to print and to compare. */

// C0 and DEL, C1, line and paragraph separators, the bidi controls that can reorder what a terminal shows, and unpaired
// surrogates, which are no text and make a reader such as jq 1.6 fail.
const UNPRINTABLE =
  /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
// Every text is tested with this; one with whole characters beyond U+FFFF is then tested with the pattern above.
const MAYBE_UNPRINTABLE =
  /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]/;

/**
 * Remote text without anything that a terminal would act on: control characters and unpaired surrogates become
 * U+FFFD, a tab becomes a space.
 */
export function cleanText(text: string): string {
  if (!MAYBE_UNPRINTABLE.test(text)) return text;
  return text.replace(UNPRINTABLE, (c) => (c === "\t" ? " " : "\ufffd"));
}

/** How much of a remote text is kept and scanned for a message, in characters. */
export const MAX_SCANNED = 16 * 1024;

/** Adds to a kept text and drops its beginning beyond MAX_SCANNED: the last lines give the reason of an end. */
export function appendTail(kept: string, text: string): string {
  return (kept + text).slice(-MAX_SCANNED);
}

/** Remote text as one short line for a message: lines joined by `; `, blanks squeezed, cut at `limit` characters. */
export function oneLine(text: string, limit = 300): string {
  const whole = text.trim();
  const scanned = whole.slice(0, MAX_SCANNED);
  const lines = scanned.split(/[\r\n]+/).map((line) => line.trim());
  const joined = cleanText(
    lines
      .filter((line) => line !== "")
      .join("; ")
      .replace(/\s+/g, " "),
  );
  return joined.length > limit || scanned.length < whole.length
    ? `${beginningOf(joined, limit - 1)}…`
    : joined;
}

/** The first `length` characters, or one less so that none is cut in half. */
function beginningOf(text: string, length: number): string {
  const cut = text.slice(0, length);
  return /[\ud800-\udbff]$/.test(cut) ? cut.slice(0, -1) : cut;
}

/** Lowers A to Z only: ssh treats its files as bytes, and bytes above 127 have no case. */
export function lowerAscii(text: string): string {
  return text.replace(/[A-Z]+/g, (capitals) => capitals.toLowerCase());
}
