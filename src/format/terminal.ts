/** The terminal behind a stream, whether it gets colour, and how a picture is redrawn on it. */
import type { ColorChoice } from "../contract/options.js";
import type { Terminal } from "./formatter.js";

/** What node:tty's WriteStream is. */
interface TerminalStream {
  readonly columns?: number;
  readonly rows?: number;
  on(event: "resize", listener: () => void): unknown;
  off(event: "resize", listener: () => void): unknown;
}

/** 80 by 24 where the terminal does not report its size (a serial line, a pty of size 0). */
export function terminalOf(stream: TerminalStream): Terminal {
  return {
    size: () => ({ columns: sizeOr(stream.columns, 80), rows: sizeOr(stream.rows, 24) }),
    onResize(listener) {
      stream.on("resize", listener);
      return () => {
        stream.off("resize", listener);
      };
    },
  };
}

function sizeOr(size: number | undefined, otherwise: number): number {
  return size === undefined || size <= 0 ? otherwise : size;
}

/** `--color` with NO_COLOR (no-color.org: set and not empty) and TERM=dumb. */
export function wantsColor(
  choice: ColorChoice,
  env: Readonly<Record<string, string | undefined>>,
  isTerminal: boolean,
): boolean {
  if (choice !== "auto") return choice === "always";
  const noColor = env["NO_COLOR"];
  return isTerminal && (noColor === undefined || noColor === "") && env["TERM"] !== "dumb";
}

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
