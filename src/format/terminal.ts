/** The terminal behind a stream, and whether it gets colour and characters beyond ASCII. */
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

/** Where a terminal or its locale (POSIX, "Internationalization Variables") does not promise more than ASCII. */
export function isAsciiOnly(env: Readonly<Record<string, string | undefined>>): boolean {
  if (env["TERM"] === "dumb") return true;
  const set = [env["LC_ALL"], env["LC_CTYPE"], env["LANG"]].find(
    (value) => value !== undefined && value !== "",
  );
  return !/utf-?8/i.test(set ?? "");
}
