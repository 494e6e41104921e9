/** Remote text made fit to print and to compare. */

// C0 and DEL, C1, line and paragraph separators, the bidi controls that can reorder what a terminal shows, and halves of
// a character without the other half, which are no text and end a reader such as jq 1.6.
const UNPRINTABLE =
  /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
// Every text is asked this; one with whole characters beyond U+FFFF is then looked at more closely.
const MAYBE_UNPRINTABLE =
  /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]/;

/**
 * Remote text without anything that a terminal would act on: each control character becomes U+FFFD, as does half a
 * character, and a tab a blank.
 */
export function cleanText(text: string): string {
  if (!MAYBE_UNPRINTABLE.test(text)) return text;
  return text.replace(UNPRINTABLE, (c) => (c === "\t" ? " " : "\ufffd"));
}

/** Of what a host says, as much is looked at for a message, in characters. */
export const MAX_SCANNED = 16 * 1024;

/** Remote text as one short line for a message: lines joined by `; `, blanks squeezed, cut at `limit` characters. */
export function oneLine(text: string, limit = 300): string {
  const whole = text.trim();
  const looked = whole.slice(0, MAX_SCANNED);
  const lines = looked.split(/[\r\n]+/).map((line) => line.trim());
  const joined = cleanText(
    lines
      .filter((line) => line !== "")
      .join("; ")
      .replace(/\s+/g, " "),
  );
  return joined.length > limit || looked.length < whole.length
    ? `${beginningOf(joined, limit - 1)}…`
    : joined;
}

/** As many characters or one less, so that none is cut in half. */
function beginningOf(text: string, length: number): string {
  const cut = text.slice(0, length);
  return /[\ud800-\udbff]$/.test(cut) ? cut.slice(0, -1) : cut;
}

/** A to Z alone: to ssh its files are bytes, and bytes above 127 have no case. */
export function lowerAscii(text: string): string {
  return text.replace(/[A-Z]+/g, (capitals) => capitals.toLowerCase());
}
