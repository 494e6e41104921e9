/** How wide text is on a terminal, and cutting it to a width. The only file that uses string-width. */
import stringWidth from "string-width";

const segmenter = new Intl.Segmenter();
/** Printable ASCII: each character takes one column. */
export const PLAIN = /^[ -~]*$/;

/** The columns that a text takes: two for a wide character or an emoji, none for a combining mark. */
export function textWidth(text: string): number {
  return PLAIN.test(text) ? text.length : stringWidth(text);
}

/** Text of at most `width` columns. A text that is cut ends in an ellipsis. */
export function fitText(text: string, width: number): string {
  if (PLAIN.test(text)) {
    if (text.length <= width) return text;
    return width <= 0 ? "" : `${text.slice(0, width - 1)}…`;
  }
  if (stringWidth(text) <= width) return text;
  if (width <= 0) return "";
  let fitted = "";
  let used = 0;
  // Cut between graphemes: what a terminal shows as one character stays whole.
  for (const { segment } of segmenter.segment(text)) {
    used += stringWidth(segment);
    if (used > width - 1) break;
    fitted += segment;
  }
  return `${fitted}…`;
}
