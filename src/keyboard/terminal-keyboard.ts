/**
 * Reads keys from the terminal, and leaves it as it was: at the end, when the program is stopped, and when a signal ends it.
 * Node itself resets the terminal's mode in every exit, a crash too. Nothing else of the terminal is changed: the cursor
 * shows, and there is no alternate screen.
 */
import type { Key, Keyboard } from "../contract/keyboard.js";
import type { Clock, Timer } from "../lib/clock.js";
import { KeyDecoder, type KeySignal, type Pressed } from "./keys.js";

/** What node:tty's ReadStream is. */
export interface KeyInput {
  readonly readableEnded: boolean;
  readonly destroyed: boolean;
  setRawMode(isRaw: boolean): unknown;
  on(event: "data", listener: (bytes: Buffer) => void): unknown;
  on(event: "end" | "error", listener: () => void): unknown;
  off(event: "data", listener: (bytes: Buffer) => void): unknown;
  resume(): unknown;
  pause(): unknown;
}

/** The program as a job of a shell. */
export interface Job {
  /** In the background, reading keys or changing the terminal's mode would stop the program. */
  isInForeground(): boolean;
  /** Sends the signal to all programs of the job, as the terminal's driver does for the key. */
  send(signal: KeySignal): void;
  /** `release` is called before the program stops, and before SIGQUIT ends it; `resume` when it goes on. */
  watch(release: () => void, resume: () => void): () => void;
}

/** A terminal sends a key's sequence at once; over a slow line its parts are this far from each other at most. */
const SEQUENCE_MS = 100;

export class TerminalKeyboard implements Keyboard {
  readonly #input: KeyInput;
  readonly #job: Job;
  readonly #clock: Clock;
  readonly #decoder = new KeyDecoder();
  #onKey: (key: Key) => void = () => undefined;
  #stopWatching: (() => void) | null = null;
  #isReading = false;
  #waiting: Timer | null = null;

  constructor(input: KeyInput, job: Job, clock: Clock) {
    this.#input = input;
    this.#job = job;
    this.#clock = clock;
  }

  open(onKey: (key: Key) => void, onResume: () => void): void {
    this.#onKey = onKey;
    // A terminal that has gone ends the run by SIGHUP.
    this.#input.on("end", () => this.#release());
    this.#input.on("error", () => this.#release());
    this.#stopWatching = this.#job.watch(
      () => this.#release(),
      () => {
        this.#acquire();
        onResume();
      },
    );
    this.#acquire();
  }

  close(): void {
    this.#stopWatching?.();
    this.#stopWatching = null;
    this.#release();
  }

  #acquire(): void {
    const { readableEnded, destroyed } = this.#input;
    // A hostfile may have been typed there until Ctrl-D: without its end no key comes, Ctrl-C neither.
    if (this.#isReading || readableEnded || destroyed || !this.#job.isInForeground()) return;
    try {
      this.#input.setRawMode(true);
    } catch {
      return;
    }
    this.#isReading = true;
    this.#input.on("data", this.#take);
    this.#input.resume();
  }

  #release(): void {
    this.#waiting?.cancel();
    this.#waiting = null;
    if (!this.#isReading) return;
    this.#isReading = false;
    this.#input.off("data", this.#take);
    this.#input.pause();
    try {
      this.#input.setRawMode(false);
    } catch {
      // It has gone.
    }
  }

  readonly #take = (bytes: Buffer): void => {
    this.#waiting?.cancel();
    this.#waiting = null;
    this.#press(this.#decoder.take(bytes.toString("latin1")));
    if (!this.#isReading || !this.#decoder.isWaiting) return;
    this.#waiting = this.#clock.after(SEQUENCE_MS, () => {
      this.#waiting = null;
      this.#press(this.#decoder.flush());
    });
  };

  #press(pressed: readonly Pressed[]): void {
    for (const each of pressed) {
      if (each.kind === "key") this.#onKey(each.key);
      else this.#job.send(each.signal);
    }
  }
}
