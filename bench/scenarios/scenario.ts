/** A measurement that `npm run bench` can run by name. */
import type { Measured } from "../measure/figures.js";

export interface BenchOptions {
  /** Null: each scenario's own number. */
  readonly hosts: number | null;
  /** Paired rounds; null: each scenario's own number. */
  readonly runs: number | null;
  /** Fewer hosts and rounds: a look, not a measurement. */
  readonly quick: boolean;
  /** How long the soak lasts; null: an hour. */
  readonly minutes: number | null;
  /** What answers the soak: a recording behind sshd where it can be made, or real shells with the fake tools. */
  readonly server: "recorded" | "shell";
  /** Where the soak's program watches: `thread`, as by default, or `main`, whose heap can be asked. */
  readonly watcher: "main" | "thread";
  /** The program that is measured, and another build of it to run beside. */
  readonly program: string;
  readonly against: string | null;
  readonly peer: (name: string) => string;
  readonly say: (line: string) => void;
}

export interface Scenario {
  readonly name: string;
  readonly about: string;
  /** What it needs beside node and sshd, and how long it takes with its own number of hosts and rounds. */
  readonly needs?: string;
  readonly takes?: string;
  /** Takes so long that it runs only where `--only` names it. */
  readonly isOnlyByName?: boolean;
  run(options: BenchOptions): Promise<Measured>;
}
