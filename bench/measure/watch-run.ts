/** Our program watching a farm: counts of CPU, memory and frames at any moment of the run. */
import { oursArgv } from "../fleet/fleet.js";
import type { Farm } from "../fleet/fleet.js";
import { memoryOf, startMetered } from "./cpu-meter.js";
import { headReader } from "./record-heads.js";
import type { RecordHead } from "./record-heads.js";

export interface Mark {
  readonly atMs: number;
  readonly clientUs: number;
  readonly serverUs: number;
  readonly frames: number;
  /** Records of a tick without a frame: the host was late, or we were. */
  readonly missed: number;
  readonly rssKib: number;
}

export interface Span {
  /** Microseconds a host and tick. */
  readonly clientUs: number;
  readonly serverUs: number;
  readonly missed: number;
}

/** In bytes. */
export interface Memory {
  readonly rss: number;
  readonly heapUsed: number;
  /** With the 16 MiB that ssh2's WebAssembly reserves, and hardly touches. */
  readonly external: number;
  readonly arrayBuffers: number;
  /** What the young space took before the collection. */
  readonly young: number;
}

export interface WatchRun {
  readonly pid: number;
  /** Waits until every host has had `frames` frames; throws when that takes longer than `limitMs`. */
  warm(frames: number, limitMs: number): Promise<void>;
  mark(): Mark;
  /** What is left in memory after a collection of garbage; needs `heap-after-gc` in `node` and `ON_MAIN_THREAD`. */
  memory(): Promise<Memory>;
  stop(): Promise<void>;
}

/** All on the main thread, whose heap and profile can be had. */
export const ON_MAIN_THREAD: readonly string[] = ["--workers", "0"];

export function startWatch(
  program: string,
  farm: Farm,
  options: {
    readonly intervalSecs: number;
    readonly args?: readonly string[];
    readonly node?: readonly string[];
    /** Is handed every tick's record, as it comes. */
    readonly watch?: (head: RecordHead) => void;
  },
): WatchRun {
  const args = ["--interval", String(options.intervalSecs), ...(options.args ?? [])];
  const running = startMetered(oursArgv(program, farm, args, options.node));
  const framesOf = new Map<string, number>();
  let frames = 0;
  let missed = 0;
  let memoryAsked = 0;
  let over = false;
  void running.ended.then(() => (over = true));
  const read = headReader((head) => {
    if (head.record === "frame") {
      frames += 1;
      framesOf.set(head.hostId, (framesOf.get(head.hostId) ?? 0) + 1);
    } else if (framesOf.has(head.hostId)) missed += 1;
    options.watch?.(head);
  });
  running.stdout.on("data", read);
  const check = (what: string): void => {
    if (over) throw new Error(`${what}: our program has ended: ${running.stderr()}`);
  };
  return {
    pid: running.pid,
    async warm(wanted, limitMs) {
      const end = performance.now() + limitMs;
      const ready = (): number => [...framesOf.values()].filter((count) => count >= wanted).length;
      while (ready() < farm.addresses.length) {
        check("warm");
        if (performance.now() > end)
          throw new Error(
            `${ready()} of ${farm.addresses.length} hosts had ${wanted} frames after ${limitMs} ms`,
          );
        await sleep(50);
      }
    },
    mark: () => {
      check("mark");
      return {
        atMs: performance.now(),
        clientUs: running.cpuUs(),
        serverUs: farm.serverCpuUs(),
        frames,
        missed,
        rssKib: memoryOf(running.pid).rssKib,
      };
    },
    async memory() {
      memoryAsked += 1;
      process.kill(running.pid, "SIGUSR2");
      const answer = new RegExp(`@memory (\\{"round":${memoryAsked},.*\\})`);
      for (let tries = 0; tries < 200; tries++) {
        await sleep(50);
        const said = answer.exec(running.stderr());
        if (said?.[1] !== undefined) return JSON.parse(said[1]) as Memory;
      }
      throw new Error("no memory figure came");
    },
    async stop() {
      running.kill();
      await running.ended;
    },
  };
}

/** What lies between two marks, by the frames that came in between. */
export function spanOf(from: Mark, to: Mark): Span {
  const frames = to.frames - from.frames;
  if (frames === 0) throw new Error("no frame came between two marks");
  return {
    clientUs: (to.clientUs - from.clientUs) / frames,
    serverUs: (to.serverUs - from.serverUs) / frames,
    missed: to.missed - from.missed,
  };
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
