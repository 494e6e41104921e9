/** How a picture is redrawn on a terminal. */

/*
 * Redrawing in place (ECMA-48): the cursor goes home and each line is overwritten and cleared to its end, so nothing
 * flickers. No alternate screen: the last picture stays when the program ends.
 */
const HOME = "\u001b[H";
const CLEAR_LINE = "\u001b[K";
const CLEAR_BELOW = "\u001b[J";

export interface Repaint {
  /** The first picture: what the terminal shows is scrolled up into its history first. */
  readonly first: boolean;
  /** The lines of the last picture may have been wrapped anew: everything below the home position is cleared first. */
  readonly resized: boolean;
  readonly rows: number;
}

/** `lines` must be at most `rows` many and fit the width. The cursor is left behind the last one. */
export function repaint(lines: readonly string[], { first, resized, rows }: Repaint): string {
  const start = first ? "\n".repeat(Math.max(0, rows - 1)) + HOME : HOME;
  const clear = resized ? CLEAR_BELOW : "";
  return start + clear + lines.map((line) => line + CLEAR_LINE).join("\r\n") + CLEAR_BELOW;
}
