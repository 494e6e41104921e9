/** /proc/stat: each CPU's counters of time, and what passed between two readings. See proc_stat(5). */
import { QuickCpuCounters } from "./fast/proc-stat.js";
import { wholeNumber } from "./numbers.js";

/** Time between the last two readings, in clock ticks. Both are 0 where no CPU was online both times. */
export interface CpuUsage {
  /** Not idle and not waiting for I/O. */
  readonly busy: number;
  readonly elapsed: number;
}

/**
 * The last two readings of one host's /proc/stat. Every usage is null when a counter went back. It must be asked for before
 * another host's counters are read.
 */
export interface CpuCounters {
  /** Whether the last reading has the line of all CPUs together. */
  readonly hasTotal: boolean;
  /** Numbers of the CPUs that are online, in the order of the last reading. */
  readonly cpus: readonly number[];
  /** Reads the `cpu` lines among `lines`. False when none of them has counters. */
  read(lines: readonly string[]): boolean;
  /** Of all CPUs together; null too when one of the two readings has no such line. */
  ofTotal(): CpuUsage | null;
  ofCpu(cpu: number): CpuUsage | null;
  /** The sum over several CPUs, such as those of a socket. CPUs that were not online both times are left out. */
  ofCpus(cpus: readonly number[]): CpuUsage | null;
}

/** The switch: PlainCpuCounters does the same, slower. test/system/fast/proc-stat.test.ts compares them. */
export function createCpuCounters(): CpuCounters {
  return new QuickCpuCounters();
}

/** user, nice, system, irq, softirq, steal, and idle + iowait together: the kernel may count time of one back into the other. */
type Counters = readonly number[];

interface Reading {
  total: Counters | null;
  readonly cpus: Map<number, Counters>;
}

export class PlainCpuCounters implements CpuCounters {
  #before: Reading = { total: null, cpus: new Map() };
  #now: Reading = { total: null, cpus: new Map() };

  get hasTotal(): boolean {
    return this.#now.total !== null;
  }

  get cpus(): readonly number[] {
    return [...this.#now.cpus.keys()];
  }

  read(lines: readonly string[]): boolean {
    this.#before = this.#now;
    this.#now = { total: null, cpus: new Map() };
    for (const line of lines) {
      const match = /^cpu(\d{0,6})[ \t\r](.*)$/s.exec(line);
      const counters = countersIn(match?.[2] ?? "");
      if (match === null || counters === null) continue;
      if (match[1] === "") this.#now.total ??= counters;
      else this.#now.cpus.set(Number(match[1]), counters);
    }
    return this.#now.total !== null || this.#now.cpus.size > 0;
  }

  ofTotal(): CpuUsage | null {
    const [before, now] = [this.#before.total, this.#now.total];
    return before === null || now === null ? null : usageBetween(before, now);
  }

  ofCpu(cpu: number): CpuUsage | null {
    return this.ofCpus([cpu]);
  }

  ofCpus(cpus: readonly number[]): CpuUsage | null {
    let [busy, elapsed] = [0, 0];
    for (const cpu of cpus) {
      const [before, now] = [this.#before.cpus.get(cpu), this.#now.cpus.get(cpu)];
      if (before === undefined || now === undefined) continue;
      const usage = usageBetween(before, now);
      if (usage === null) return null;
      busy += usage.busy;
      elapsed += usage.elapsed;
    }
    return { busy, elapsed };
  }
}

/** The counters behind a line's name; null when one is no whole number or there are too few. */
function countersIn(text: string): Counters | null {
  const fields = text.split(/[ \t\r]+/).filter((field) => field !== "");
  const values = fields.map(wholeNumber).filter((value) => value !== null);
  // Kernels before 2.6 have the first four alone. Guest time, which follows these eight, is part of user and nice.
  if (values.length < fields.length || values.length < 4) return null;
  const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0] = values;
  return [user, nice, system, irq, softirq, steal, idle + iowait];
}

function usageBetween(before: Counters, now: Counters): CpuUsage | null {
  const deltas = now.map((value, counter) => value - (before[counter] ?? 0));
  if (deltas.some((delta) => delta < 0)) return null;
  const busy = deltas.slice(0, -1).reduce((sum, delta) => sum + delta, 0);
  return { busy, elapsed: busy + (deltas.at(-1) ?? 0) };
}
