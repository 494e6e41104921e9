/** /proc/stat: counters of time, and what became of them between two readings. See proc(5), proc_stat(5). */
import { percentOf, wholeNumber } from "./numbers.js";

/** One line's counters in clock ticks since boot. Guest time is part of user and nice. */
interface CpuTimes {
  /** user, nice, system, irq, softirq, steal: each only ever grows. */
  readonly busy: readonly number[];
  /** idle + iowait: the kernel may count time of one back into the other. */
  readonly idle: number;
}

export interface ProcStat {
  readonly total: CpuTimes | null;
  /** By CPU number; CPUs that are offline are not listed. */
  readonly cpus: ReadonlyMap<number, CpuTimes>;
}

export function parseProcStat(lines: readonly string[]): ProcStat {
  let total: CpuTimes | null = null;
  const cpus = new Map<number, CpuTimes>();
  for (const line of lines) {
    const match = /^cpu(\d{0,6})\s+(.*)$/.exec(line);
    if (match === null) continue;
    const times = parseTimes(match[2] ?? "");
    if (times === null) continue;
    if (match[1] === "") total ??= times;
    else cpus.set(Number(match[1]), times);
  }
  return { total, cpus };
}

function parseTimes(text: string): CpuTimes | null {
  const counters = text.trim().split(/\s+/).map(wholeNumber);
  const known = counters.filter((counter) => counter !== null);
  // Kernels before 2.6 have the first four alone.
  if (known.length !== counters.length || known.length < 4) return null;
  const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0] = known;
  return { busy: [user, nice, system, irq, softirq, steal], idle: idle + iowait };
}

/** Percentage of the time between two readings that was not idle; null when a counter went back or no time passed. */
export function utilizationBetween(
  before: CpuTimes | null | undefined,
  after: CpuTimes | null | undefined,
): number | null {
  return usageOf([[before, after]]);
}

/** The same over several CPUs together, such as those of a socket; those without both readings are passed over. */
export function utilizationOfCpus(
  cpus: readonly number[],
  before: ProcStat | null,
  after: ProcStat,
): number | null {
  if (before === null) return null;
  const online = cpus.filter((cpu) => after.cpus.has(cpu));
  return usageOf(online.map((cpu) => [before.cpus.get(cpu), after.cpus.get(cpu)]));
}

type Pair = readonly [CpuTimes | null | undefined, CpuTimes | null | undefined];

function usageOf(pairs: readonly Pair[]): number | null {
  let busy = 0;
  let elapsed = 0;
  for (const [before, after] of pairs) {
    if (!before || !after) continue;
    const deltas = after.busy.map((value, i) => value - (before.busy[i] ?? value));
    const idle = after.idle - before.idle;
    if (idle < 0 || deltas.some((delta) => delta < 0)) return null;
    const worked = deltas.reduce((sum, delta) => sum + delta, 0);
    busy += worked;
    elapsed += worked + idle;
  }
  return percentOf(busy, elapsed);
}
