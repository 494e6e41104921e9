/** The main thread's side of a fleet that is spread over threads: starts them, takes their lines, ends them. */
import { setFlagsFromString } from "node:v8";
import { Worker } from "node:worker_threads";
import type { OperatorLog } from "../../contract/operator-log.js";
import type { Texts } from "../../format/pacing.js";
import type { FleetChange } from "../../fleet/fleet-change.js";
import type { WatchedTarget } from "../../fleet/identity.js";
import { onAbort } from "../../lib/abort.js";
import type { Clock } from "../../lib/clock.js";
import { NO_COUNTS, type Counts } from "../../outcome/tally.js";
import { shareOfChange } from "./changed-shares.js";
import type { Share } from "./shares.js";

/** A buffer that goes back and forth between two threads: only one of them has it at a time. */
export type LineBuffer = Uint8Array<ArrayBuffer>;

/** Messages of a thread to the main thread. */
export type FromThread =
  /** Whole lines in UTF-8 at the start of `buffer`. The thread sends nothing more before the main thread's `ack`. */
  | { readonly kind: "lines"; readonly buffer: LineBuffer; readonly length: number; readonly counts: Counts }
  /** For the operator: a warning, a message for `--verbose`, a line that is printed as it is. */
  | { readonly kind: "warning" | "debug" | "line"; readonly text: string }
  /** An exception of ours that concerns one host. */
  | { readonly kind: "fault"; readonly host: string; readonly stack: string }
  /** The thread's last message. */
  | { readonly kind: "ended"; readonly counts: Counts };

/** Messages of the main thread to a thread. */
export type ToThread =
  /** The last lines are written; their buffer is for the next ones. */
  | { readonly kind: "ack"; readonly buffer: LineBuffer }
  | { readonly kind: "stop" }
  | { readonly kind: "change"; readonly change: FleetChange };

export interface ThreadOptions {
  /** The file that each thread runs. */
  readonly program: URL;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Takes what threads log. */
  readonly log: OperatorLog;
}

type Lines = FromThread & { readonly kind: "lines" };

interface Member {
  readonly worker: Worker;
  watched: readonly WatchedTarget[];
  counts: Counts;
  hasEnded: boolean;
}

interface Taken {
  readonly member: Member;
  readonly lines: Lines;
}

/** How long a thread may take to close its connections. It is terminated then. */
const END_MS = 2000;
/**
 * V8's default for young objects is 16 MiB a half. A burst of answers of a large fleet is more than that: it would be
 * copied, and in large part promoted, although it is garbage a moment later.
 */
const YOUNG_GENERATION_MIB = 192;

/**
 * For the whole process.
 * Concurrent and parallel collection shortens pauses, which nobody here waits for, and costs more CPU.
 * By default V8 marks the whole heap again and again, as long as that takes less than a thirtieth of the time, idle time
 * included; the growing percentage sets how much may become garbage before it does.
 * Pretenuring would put objects that often survive a collection in the middle of a burst straight into the old space:
 * only a full collection would free them there, and the record that they belong to with them.
 */
const V8_FLAGS = [
  "--no-concurrent-marking",
  "--no-concurrent-sweeping",
  "--no-parallel-scavenge",
  "--no-parallel-compaction",
  "--heap-growing-percent=200",
  "--no-memory-reducer",
  "--no-allocation-site-pretenuring",
];

/** Lines as they come from whichever thread; a thread works on while its last ones are written. */
export class FleetThreads implements Texts {
  readonly #clock: Clock;
  readonly #members: Member[];
  readonly #ready: Taken[] = [];
  readonly #warned = new Set<string>();
  #taken: Taken | null = null;
  #failure: { readonly error: unknown } | null = null;
  #wake: () => void = () => undefined;

  private constructor(clock: Clock, members: Member[]) {
    this.#clock = clock;
    this.#members = members;
  }

  /** One thread for each share. They end soon after the signal aborts. */
  static start(shares: readonly Share[], { program, clock, signal, log }: ThreadOptions): FleetThreads {
    for (const flag of V8_FLAGS) setFlagsFromString(flag);
    const members = shares.map((share): Member => {
      const resourceLimits = { maxYoungGenerationSizeMb: YOUNG_GENERATION_MIB };
      const worker = new Worker(program, { workerData: share, resourceLimits });
      return { worker, watched: share.watched, counts: NO_COUNTS, hasEnded: false };
    });
    const threads = new FleetThreads(clock, members);
    for (const member of members) threads.#listen(member, log);
    onAbort(signal, () => threads.#stop());
    return threads;
  }

  /** The counts of each thread's records, as of its last message. */
  get counts(): readonly Counts[] {
    return this.#members.map(({ counts }) => counts);
  }

  /** Each thread gets its part; a host that is added goes to a thread that still runs. */
  change(change: FleetChange): void {
    const running = this.#members.filter(({ hasEnded }) => !hasEnded);
    const parts = shareOfChange(
      change,
      running.map(({ watched }) => watched),
    );
    for (const [at, member] of running.entries()) {
      const part = parts[at];
      if (part === undefined) continue;
      member.watched = part.watched;
      if (part.change !== null) this.#send(member, { kind: "change", change: part.change });
    }
  }

  /** The bytes are valid until the next call. Rejects with the error that ended a thread. */
  async next(): Promise<IteratorResult<Uint8Array, void>> {
    this.#ackTaken();
    for (;;) {
      if (this.#failure !== null) throw this.#failure.error;
      const first = this.#ready.shift();
      if (first !== undefined) {
        this.#taken = first;
        return { done: false, value: first.lines.buffer.subarray(0, first.lines.length) };
      }
      if (this.#members.every(({ hasEnded }) => hasEnded)) return { done: true, value: undefined };
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** Ends all threads; lines that nobody took are dropped. */
  async return(): Promise<IteratorResult<Uint8Array, void>> {
    this.#stop();
    // A flag, not a comparison of times: a timer may fire a moment early, and nothing else would wake this loop.
    const limit = { hasPassed: false };
    const timer = this.#clock.after(END_MS, () => {
      limit.hasPassed = true;
      this.#wake();
    });
    while (!limit.hasPassed && this.#members.some(({ hasEnded }) => !hasEnded)) {
      this.#ackTaken();
      for (const taken of this.#ready.splice(0)) this.#sendAck(taken);
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    timer.cancel();
    await Promise.all(this.#members.map(({ worker }) => worker.terminate()));
    return { done: true, value: undefined };
  }

  #listen(member: Member, log: OperatorLog): void {
    const { worker } = member;
    worker.on("message", (message: FromThread) => {
      switch (message.kind) {
        case "lines":
          member.counts = message.counts;
          this.#ready.push({ member, lines: message });
          break;
        case "ended":
          member.counts = message.counts;
          member.hasEnded = true;
          break;
        case "warning":
          this.#warnOnce(message.text, log);
          return;
        case "debug":
          log.debug(message.text);
          return;
        case "line":
          log.line(message.text);
          return;
        case "fault":
          log.faultStack(message.host, message.stack);
          return;
      }
      this.#wake();
    });
    worker.on("error", (error) => {
      this.#failure ??= { error };
      this.#wake();
    });
    worker.on("exit", (code) => {
      if (!member.hasEnded) this.#failure ??= { error: new Error(`a thread ended by itself (${code})`) };
      member.hasEnded = true;
      this.#wake();
    });
  }

  /** All threads read the same files and have the same warnings about them. */
  #warnOnce(message: string, log: OperatorLog): void {
    if (this.#warned.has(message)) return;
    this.#warned.add(message);
    log.warn(message);
  }

  #ackTaken(): void {
    const taken = this.#taken;
    this.#taken = null;
    if (taken !== null) this.#sendAck(taken);
  }

  #sendAck({ member, lines: { buffer } }: Taken): void {
    this.#send(member, { kind: "ack", buffer }, [buffer.buffer]);
  }

  #stop(): void {
    for (const member of this.#members) this.#send(member, { kind: "stop" });
  }

  #send({ worker, hasEnded }: Member, message: ToThread, moved: readonly ArrayBuffer[] = []): void {
    if (!hasEnded) worker.postMessage(message, moved);
  }
}
