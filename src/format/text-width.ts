/** How wide text is on a terminal, and cutting it to a width. Beside table-layout.ts, all that knows string-width. */
import stringWidth from "string-width";

const segmenter = new Intl.Segmenter();
const PLAIN = /^[ -~]*$/;

/** What a terminal shows as one, with the columns it takes. */
export interface Cluster {
  readonly text: string;
  readonly width: number;
}

export function textWidth(text: string): number {
  return stringWidth(text);
}

export function clusters(text: string): readonly Cluster[] {
  return Array.from(segmenter.segment(text), ({ segment }) => ({
    text: segment,
    width: stringWidth(segment),
  }));
}

/** Text of at most `width` columns; what is cut ends in an ellipsis. */
export function fitText(text: string, width: number): string {
  if (PLAIN.test(text)) {
    if (text.length <= width) return text;
    return width <= 0 ? "" : `${text.slice(0, width - 1)}…`;
  }
  const parts = clusters(text);
  if (parts.reduce((sum, part) => sum + part.width, 0) <= width) return text;
  if (width <= 0) return "";
  let fitted = "";
  let used = 0;
  for (const part of parts) {
    if (used + part.width > width - 1) break;
    fitted += part.text;
    used += part.width;
  }
  return `${fitted}…`;
}
