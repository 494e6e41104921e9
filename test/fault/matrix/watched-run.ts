/** A run of the built program whose records are looked at while they come. */
import type { ChildProcess } from "node:child_process";
import type { StreamRecord } from "../../../src/contract/record.js";
import { runCli, type CliOptions, type CliRun } from "../../support/cli.js";

export interface Seen {
  readonly record: StreamRecord;
  /** By performance.now(). */
  readonly atMs: number;
}

export class WatchedRun {
  readonly seen: Seen[] = [];
  readonly beganAtMs = performance.now();
  readonly ended: Promise<CliRun>;
  readonly child: ChildProcess;
  #rest = "";
  #wake: (() => void)[] = [];

  constructor(args: readonly string[], options: CliOptions = {}) {
    const started: ChildProcess[] = [];
    this.ended = runCli(args, {
      limitMs: 240_000,
      ...options,
      started: (child) => {
        started.push(child);
        child.stdout?.on("data", (text: string) => this.#take(text));
      },
    });
    const [child] = started;
    if (child === undefined) throw new Error("the program was not started");
    this.child = child;
  }

  /** The first record of a host since `sinceMs` that holds. Rejects with `what` after `limitMs`, or at the run's end. */
  async first(
    what: string,
    host: string,
    sinceMs: number,
    holds: (record: StreamRecord) => boolean,
    limitMs: number,
  ): Promise<Seen> {
    const untilMs = performance.now() + limitMs;
    for (;;) {
      const found = this.of(host).find((each) => each.atMs >= sinceMs && holds(each.record));
      if (found !== undefined) return found;
      if (performance.now() > untilMs || this.child.exitCode !== null)
        throw new Error(`${what}: not within ${limitMs / 1000} s; last: ${this.#last(host)}`);
      await this.#moment();
    }
  }

  of(host: string): readonly Seen[] {
    return this.seen.filter(({ record }) => record.hostname === host);
  }

  #last(host: string): string {
    const record = this.of(host).at(-1)?.record;
    if (record === undefined) return "no record";
    if (record.record === "frame")
      return `frame ${record.tick}, errors ${JSON.stringify(record.errors ?? [])}`;
    return `${record.state} ${JSON.stringify(record.last_error)}`;
  }

  #take(text: string): void {
    const atMs = performance.now();
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.seen.push({ record: JSON.parse(line) as StreamRecord, atMs });
    for (const wake of this.#wake.splice(0)) wake();
  }

  async #moment(): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, 500);
      this.#wake.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}

/** Ticks of a host that have a record, sorted, and those that later records name as skipped. */
export function ticksOf(seen: readonly Seen[]): { readonly recorded: number[]; readonly skipped: number[] } {
  const recorded = seen.flatMap(({ record: { tick } }) => (tick === null ? [] : [tick]));
  const skipped = seen.flatMap(({ record: { skipped_ticks: skips = [] } }) =>
    skips.flatMap(({ first, last }) => Array.from({ length: last - first + 1 }, (_, i) => first + i)),
  );
  return { recorded: recorded.sort((a, b) => a - b), skipped };
}
