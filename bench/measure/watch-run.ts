/** Our program watching a farm: counts of CPU, memory and frames at any moment of the run. */
import { oursArgv } from "../fleet/fleet.js";
import type { Farm } from "../fleet/fleet.js";
import { memoryOf, startMetered } from "./cpu-meter.js";

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

export interface WatchRun {
  /** Waits until every host has had `frames` frames; throws when that takes longer than `limitMs`. */
  warm(frames: number, limitMs: number): Promise<void>;
  mark(): Mark;
  /** What is left in memory after a collection of garbage, in bytes; needs `heap-after-gc` in `node`. */
  memory(): Promise<{ readonly rss: number; readonly heapUsed: number; readonly external: number }>;
  stop(): Promise<void>;
}

export function startWatch(
  program: string,
  farm: Farm,
  options: {
    readonly intervalSecs: number;
    readonly args?: readonly string[];
    readonly node?: readonly string[];
  },
): WatchRun {
  const args = ["--interval", String(options.intervalSecs), ...(options.args ?? [])];
  const running = startMetered(oursArgv(program, farm, args, options.node));
  const framesOf = new Map<string, number>();
  let frames = 0;
  let missed = 0;
  let rest = "";
  let over = false;
  void running.ended.then(() => (over = true));
  running.stdout.setEncoding("utf8");
  running.stdout.on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const head = HEAD.exec(line);
      if (head === null || head[2] === "null") continue;
      const host = head[3] ?? "";
      if (head[1] === "frame") {
        frames += 1;
        framesOf.set(host, (framesOf.get(host) ?? 0) + 1);
      } else if (framesOf.has(host)) missed += 1;
    }
  });
  const check = (what: string): void => {
    if (over) throw new Error(`${what}: our program has ended: ${running.stderr()}`);
  };
  return {
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
      const before = running.stderr().length;
      process.kill(running.pid, "SIGUSR2");
      for (let tries = 0; tries < 200; tries++) {
        await sleep(50);
        const said = /@memory (\{.*\})/.exec(running.stderr().slice(before));
        if (said?.[1] !== undefined)
          return JSON.parse(said[1]) as { rss: number; heapUsed: number; external: number };
      }
      throw new Error("no word of memory");
    },
    async stop() {
      running.kill();
      await running.ended;
    },
  };
}

const HEAD =
  /^\{"schema":1,"record":"(frame|state)","timestamp":"[^"]*","tick":(\d+|null),"host_id":"([^"]*)"/;

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
