/** A real terminal for tests: a window of a tmux server of its own, with a bash in it. */
import { execFileSync, spawnSync } from "node:child_process";
import { waitFor } from "./processes.js";

/** For `test(..., { skip })`. */
export const noTmux: string | false =
  spawnSync("tmux", ["-V"]).status === 0 ? false : "SKIPPED LOUDLY: tmux is not installed";

export class TmuxWindow {
  static #count = 0;
  readonly #socket = `allsmi-test-${process.pid}-${TmuxWindow.#count++}`;

  constructor(columns: number, rows: number) {
    const size = ["-x", String(columns), "-y", String(rows)];
    this.#tmux("-f", "/dev/null", "new-session", "-d", ...size, "env PS1='$ ' LC_ALL=C.UTF-8 bash --norc");
  }

  /** Types a line and Enter. */
  type(line: string): void {
    this.#tmux("send-keys", "-l", line);
    this.key("Enter");
  }

  /** As tmux calls it: `C-c`, `C-z`, `Enter`. */
  key(name: string): void {
    this.#tmux("send-keys", name);
  }

  resize(columns: number, rows: number): void {
    this.#tmux("resize-window", "-x", String(columns), "-y", String(rows));
  }

  /** The lines on the screen; with their history, oldest first. */
  lines(from: "screen" | "history" = "screen"): readonly string[] {
    const start = from === "history" ? ["-S", "-"] : [];
    return this.#tmux("capture-pane", "-p", ...start)
      .split("\n")
      .slice(0, -1);
  }

  /** A tmux format, as `#{cursor_flag}`. */
  ask(format: string): string {
    return this.#tmux("display-message", "-p", format).trim();
  }

  /** Waits until a line of the screen matches; throws with the screen when none does. */
  async see(pattern: RegExp): Promise<void> {
    await waitFor(
      `${String(pattern)} on the screen`,
      () => this.lines().some((line) => pattern.test(line)),
      30_000,
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${this.lines().join("\n")}`);
    });
  }

  close(): void {
    this.#tmux("kill-server");
  }

  #tmux(...args: string[]): string {
    return execFileSync("tmux", ["-L", this.#socket, ...args], { encoding: "utf8" });
  }
}
