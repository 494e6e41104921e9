/** What the watcher holds, and what it left on the hosts, over the time of the soak; and whether that stays flat. */
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { memoryOf } from "../../bench/measure/cpu-meter.js";
import type { Probe } from "./probe.js";
import type { SoakFleet } from "./soak-fleet.js";

export const GAUGES = [
  "rssMib",
  "heapMib",
  "descriptors",
  "children",
  "sockets",
  "channels",
  "timers",
  "abortListeners",
  "remoteProcesses",
] as const;
export type Gauge = (typeof GAUGES)[number];

export interface Reading extends Readonly<Record<Gauge, number>> {
  readonly secs: number;
}

const PROBE_LIMIT_MS = 20_000;

/**
 * Asks the watcher's probe and looks at its files in /proc. Null where the watcher does not answer: it may be stopped by
 * a fault.
 */
export class Gauges {
  readonly #pid: number;
  readonly #file: string;
  readonly #fleet: SoakFleet;
  readonly #begunMs = performance.now();
  #asked = 0;

  constructor(pid: number, file: string, fleet: SoakFleet) {
    this.#pid = pid;
    this.#file = file;
    this.#fleet = fleet;
  }

  /** Since it was made. */
  get secs(): number {
    return (performance.now() - this.#begunMs) / 1000;
  }

  async read(): Promise<Reading | null> {
    this.#asked += 1;
    process.kill(this.#pid, "SIGUSR2");
    const probe = await this.#answer(this.#asked);
    if (probe === null) return null;
    const { heapBytes, sockets, channels, timers, abortListeners } = probe;
    return {
      ...{ sockets, channels, timers, abortListeners },
      secs: this.secs,
      rssMib: memoryOf(this.#pid).rssKib / 1024,
      heapMib: heapBytes / 2 ** 20,
      descriptors: readdirSync(`/proc/${this.#pid}/fd`).length,
      children: readFileSync(`/proc/${this.#pid}/task/${this.#pid}/children`, "latin1").split(" ").length - 1,
      remoteProcesses: this.#fleet.sessionProcesses().length,
    };
  }

  async #answer(round: number): Promise<Probe | null> {
    const end = performance.now() + PROBE_LIMIT_MS;
    while (performance.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      const lines = existsSync(this.#file) ? readFileSync(this.#file, "utf8").trimEnd().split("\n") : [];
      const newest = lines.at(-1) ?? "";
      if (newest === "") continue;
      const probe = JSON.parse(newest) as Probe;
      if (probe.round >= round) return probe;
    }
    // It is stopped: it has this signal and the next as one.
    this.#asked -= 1;
    return null;
  }
}

/** `growth` from the first half of the time to the second; `allowed` is what noise may come to by then. */
export interface Trend {
  readonly gauge: Gauge;
  readonly growth: number;
  readonly allowed: number;
}

/** Parts of the gauge's mean, and a least amount, that may come and go: faults are random, and so are the hosts they hold. */
const NOISE: Readonly<Record<Gauge, readonly [share: number, least: number]>> = {
  // An answer of 8 MiB leaves the allocator with pages that it gives back late; the heap shows what is alive.
  rssMib: [0.25, 48],
  heapMib: [0.15, 4],
  descriptors: [0.15, 10],
  children: [0, 1],
  sockets: [0.2, 12],
  channels: [0.2, 12],
  timers: [0.25, 15],
  abortListeners: [0.2, 25],
  remoteProcesses: [0.2, 20],
};

/** Of the first half: code that is compiled, caches that fill. */
const SETTLING_SHARE = 1 / 3;

/**
 * The upper quartile of the second half less that of the first. Something that leaks lifts it by half of what it leaks in
 * all; a while in which many hosts are lost, which lowers most gauges, and some high readings do not change it.
 */
export function trendsOf(readings: readonly Reading[]): readonly Trend[] {
  const middle = Math.floor(readings.length / 2);
  const first = readings.slice(Math.floor(middle * SETTLING_SHARE), middle);
  const second = readings.slice(middle);
  return GAUGES.map((gauge) => {
    const of = (part: readonly Reading[]): number => upperQuartile(part.map((reading) => reading[gauge]));
    const [share, least] = NOISE[gauge];
    const before = of(first);
    return { gauge, growth: of(second) - before, allowed: Math.max(least, share * before) };
  });
}

/** NaN of none, which is no growth that is allowed. */
function upperQuartile(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length * 0.75)] ?? NaN;
}
