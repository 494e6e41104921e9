/** The keys of the operator's terminal, as a run uses them. Types only. */

/** Scrolling, and the end of the run. Ctrl-C, Ctrl-Z and Ctrl-\ are signals, as on every terminal. */
export type Key = "up" | "down" | "page-up" | "page-down" | "home" | "end" | "quit";

export interface Keyboard {
  /**
   * Reads keys from now on, without echo, while the program is in the terminal's foreground. `onResume`: the program goes
   * on after it was stopped (Ctrl-Z), and the screen may have changed.
   */
  open(onKey: (key: Key) => void, onResume: () => void): void;
  /** The terminal is again as it was before `open`. */
  close(): void;
}
