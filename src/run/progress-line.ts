/**
 * A line on the terminal of standard error that is rewritten in place while hosts are connected to. Everything else that is
 * written meanwhile goes through `around`, so that it starts on a clean line.
 */
import type { Options } from "../contract/options.js";
import type { LogTerminal, RuntimeDeps } from "../contract/runtime-deps.js";
import type { Clock, Timer } from "../lib/clock.js";
import { connectingIn, MAX_AWAITED, progressText } from "../outcome/connect-progress.js";
import type { Lines, Stream } from "../sources/source.js";

/** A fleet that answers at once gets no line that flashes. */
const FIRST_MS = 500;
const PAUSE_MS = 500;
/** ECMA-48: the cursor goes to the first column, and the line is cleared. */
const CLEAR = "\r\u001b[K";

export class ProgressLine {
  readonly #clock: Clock;
  readonly #terminal: LogTerminal | null;
  #timer: Timer | null = null;
  #isShown = false;

  /** Without a terminal nothing is ever drawn. */
  constructor(clock: Clock, terminal: LogTerminal | null) {
    this.#clock = clock;
    this.#terminal = terminal;
  }

  /** `text` gives the line for a width in columns; null: there is nothing more to wait for. */
  start(text: (columns: number) => string | null): void {
    if (this.#terminal !== null) this.#drawAfter(FIRST_MS, this.#terminal, text);
  }

  /** Calls `write` while the line is off the screen; the line comes back when it is drawn next. */
  around<Result>(write: () => Result): Result {
    this.#hide();
    return write();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#hide();
  }

  #drawAfter(delayMs: number, terminal: LogTerminal, textFor: (columns: number) => string | null): void {
    this.#timer = this.#clock.after(delayMs, () => {
      // The last column stays free: some terminals wrap a line that fills it.
      const text = textFor(Math.max(1, terminal.columns() - 1));
      if (text === null) {
        this.#hide();
        return;
      }
      terminal.write(CLEAR + text);
      this.#isShown = true;
      this.#drawAfter(PAUSE_MS, terminal, textFor);
    });
  }

  #hide(): void {
    if (this.#isShown) this.#terminal?.write(CLEAR);
    this.#isShown = false;
  }
}

/** The terminal that progress is drawn on; null: none is. */
export function progressTerminal(
  { verbosity, dryRun, check }: Pick<Options, "verbosity" | "dryRun" | "check">,
  { logTerminal, env }: Pick<RuntimeDeps, "logTerminal" | "env">,
): LogTerminal | null {
  const isWanted = verbosity !== "quiet" && !dryRun && check === null;
  return isWanted && env["TERM"] !== "dumb" ? logTerminal : null;
}

/** The text for a `ProgressLine`, until every host is connected or has failed. */
export function progressOf(
  { hostCount, hostNames }: Pick<Stream, "hostCount" | "hostNames">,
  { counts, awaited }: Pick<Lines, "counts" | "awaited">,
  clock: Clock,
): (columns: number) => string | null {
  const beginMs = clock.nowMs();
  return (columns) => {
    const connecting = connectingIn(counts(), hostCount ?? 0);
    if (connecting.underWay === 0) return null;
    const secs = (clock.nowMs() - beginMs) / 1000;
    return progressText(connecting, { awaited: awaited(hostNames, MAX_AWAITED), secs, columns });
  };
}
