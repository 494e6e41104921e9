/** The main thread's side of a fleet that is spread over threads: starts them, takes their lines, ends them. */
import { setFlagsFromString } from "node:v8";
import { Worker } from "node:worker_threads";
import type { OperatorLog } from "../../contract/operator-log.js";
import type { Texts } from "../../format/pacing.js";
import type { Clock } from "../../lib/clock.js";
import type { Counts } from "../../outcome/tally.js";
import type { FromThread, Share, ToThread } from "./messages.js";

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
  counts: Counts;
  isOver: boolean;
}

interface Taken {
  readonly member: Member;
  readonly lines: Lines;
}

/** How long a thread may take to close its connections; what is left of it is ended then. */
const END_MS = 2000;
/**
 * V8's default for young garbage is 16 MiB a half. A burst of a large fleet's answers is more than that: it would be copied,
 * and much of it kept, only to die a moment later.
 */
const YOUNG_GENERATION_MIB = 192;

/**
 * For the whole process. V8 would collect on threads beside those that make garbage: that saves a pause, which nobody here
 * waits for, and costs more CPU. And it would mark all that a fleet keeps again and again, as long as that takes less than
 * a thirtieth of the time, idle time counted; so it is told how much may become garbage before it does. And what most
 * often outlives a collection in the middle of a burst would be taken for what stays: it would be put where only a
 * collection of everything finds that it has died, and where it keeps the record that it belongs to.
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
      return { worker, counts: { hosts: 0, fine: 0, held: false }, isOver: false };
    });
    const threads = new FleetThreads(clock, members);
    for (const member of members) threads.#listen(member, log);
    if (signal.aborted) threads.#stop();
    else signal.addEventListener("abort", () => threads.#stop(), { once: true });
    return threads;
  }

  /** What each thread's records have come to, by the last word of it. */
  get counts(): readonly Counts[] {
    return this.#members.map(({ counts }) => counts);
  }

  /** The memory of the bytes is lent until the next call. Rejects with what a thread failed of. */
  async next(): Promise<IteratorResult<Uint8Array, void>> {
    this.#giveBack();
    for (;;) {
      if (this.#failure !== null) throw this.#failure.error;
      const first = this.#ready.shift();
      if (first !== undefined) {
        this.#taken = first;
        return { done: false, value: first.lines.buffer.subarray(0, first.lines.length) };
      }
      if (this.#members.every(({ isOver }) => isOver)) return { done: true, value: undefined };
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** Ends all threads; lines that nobody took are given up. */
  async return(): Promise<IteratorResult<Uint8Array, void>> {
    this.#stop();
    // Not by the time: a timer may fire a moment early, and no other would wake this.
    const limit = { isOver: false };
    const timer = this.#clock.after(END_MS, () => {
      limit.isOver = true;
      this.#wake();
    });
    while (!limit.isOver && this.#members.some(({ isOver }) => !isOver)) {
      this.#giveBack();
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
          member.isOver = true;
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
      if (!member.isOver) this.#failure ??= { error: new Error(`a thread ended by itself (${code})`) };
      member.isOver = true;
      this.#wake();
    });
  }

  /** What is wrong with a file that all read is told once. */
  #warnOnce(message: string, log: OperatorLog): void {
    if (this.#warned.has(message)) return;
    this.#warned.add(message);
    log.warn(message);
  }

  #giveBack(): void {
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

  #send({ worker, isOver }: Member, message: ToThread, moved: readonly ArrayBuffer[] = []): void {
    if (!isOver) worker.postMessage(message, moved);
  }
}
