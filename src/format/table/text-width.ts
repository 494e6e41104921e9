/** How wide text is on a terminal, and cutting it to a width. The only file that uses string-width. */
import stringWidth from "string-width";

const segmenter = new Intl.Segmenter();
/** Printable ASCII and what bars are made of: each character takes one column. */
export const PLAIN = /^[ -~─━▁-▇]*$/;

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

/**
 * Lines of at most `width` columns, broken at blanks, or within what is wider than a line. All but the first begin with
 * `indent`.
 */
export function wrapText(text: string, width: number, indent: string): readonly string[] {
  const lines: string[] = [];
  let line = "";
  const space = (): number => Math.max(1, width - (lines.length === 0 ? 0 : indent.length));
  const end = (): void => {
    lines.push(lines.length === 0 ? line : indent + line);
    line = "";
  };
  for (const part of text.split(/(?<=\S)(?= )/)) {
    if (line !== "" && textWidth(line + part) > space()) end();
    let rest = line === "" && lines.length > 0 ? part.trimStart() : part;
    while (textWidth(line + rest) > space()) {
      const piece = beginningOf(rest, space());
      line = piece;
      end();
      rest = rest.slice(piece.length);
    }
    line += rest;
  }
  if (line !== "" || lines.length === 0) end();
  return lines;
}

/** At least one character, and no more than fit. */
function beginningOf(text: string, width: number): string {
  let beginning = "";
  for (const { segment } of segmenter.segment(text)) {
    if (beginning !== "" && textWidth(beginning + segment) > width) break;
    beginning += segment;
  }
  return beginning;
}
