/** /proc/stat: counters of time, and what became of them between two readings. See proc(5), proc_stat(5). */
import { isDigit, percentOf } from "./numbers.js";

/** user, nice, system, irq, softirq, steal: each only ever grows. Guest time is part of the first two. */
const BUSY = 6;
/** And idle + iowait: the kernel may count time of one back into the other. */
const COUNTERS = BUSY + 1;
/** Where the line's first eight counters go: idle and iowait are added up in the last place. */
const PLACES = [0, 1, 2, BUSY, BUSY, 3, 4, 5] as const;
/** Kernels before 2.6 have the first four alone. */
const MIN_COUNTERS = 4;

const ZERO = 0x30;

/**
 * One reading, in clock ticks since boot. A large host has some hundred CPUs and two readings of each are kept, so that
 * all counters stand in one array; `readProcStat` fills an old one again.
 */
export interface ProcStat {
  hasTotal: boolean;
  /** Numbers of the CPUs that are online, as listed. */
  readonly cpus: number[];
  /** CPU -> its place in `cpus`; null while each stands in the place of its number, as most often. */
  places: Map<number, number> | null;
  /** `COUNTERS` of the total, and then of each of `cpus`. */
  counters: Float64Array;
}

export function emptyProcStat(): ProcStat {
  return { hasTotal: false, cpus: [], places: null, counters: new Float64Array(COUNTERS) };
}

/** Reads the `cpu` lines among `lines` into `stat`. */
export function readProcStat(lines: readonly string[], stat: ProcStat): ProcStat {
  stat.hasTotal = false;
  stat.cpus.length = 0;
  stat.places = null;
  for (const line of lines) {
    if (!line.startsWith("cpu")) continue;
    let end = 3;
    while (isDigit(line.charCodeAt(end))) end += 1;
    if (end > 9 || !isBlank(line.charCodeAt(end))) continue;
    if (end === 3) {
      if (!stat.hasTotal) stat.hasTotal = readCounters(line, end, stat.counters, 0);
      continue;
    }
    const cpu = Number(line.slice(3, end));
    const known = placeOf(cpu, stat);
    const place = known < 0 ? stat.cpus.length : known;
    const from = (place + 1) * COUNTERS;
    if (stat.counters.length < from + COUNTERS) stat.counters = grown(stat.counters);
    if (readCounters(line, end, stat.counters, from) && known < 0) add(cpu, stat);
  }
  return stat;
}

function add(cpu: number, stat: ProcStat): void {
  const place = stat.cpus.push(cpu) - 1;
  if (place !== cpu) stat.places ??= new Map(stat.cpus.map((each, at) => [each, at]));
  stat.places?.set(cpu, place);
}

function grown(counters: Float64Array): Float64Array {
  const more = new Float64Array(counters.length * 2);
  more.set(counters);
  return more;
}

/** Writes a line's counters to `from`; writes nothing and is false where the line holds anything but whole numbers. */
function readCounters(line: string, begin: number, counters: Float64Array, from: number): boolean {
  let count = 0;
  let at = begin;
  const told = REPORTED.fill(0);
  while (at < line.length) {
    if (isBlank(line.charCodeAt(at))) {
      at += 1;
      continue;
    }
    let value = 0;
    const first = at;
    for (let code = line.charCodeAt(at); isDigit(code); code = line.charCodeAt(++at))
      value = value * 10 + (code - ZERO);
    const isWhole = at > first && at - first <= 16 && Number.isSafeInteger(value);
    if (!isWhole || (at < line.length && !isBlank(line.charCodeAt(at)))) return false;
    const place = PLACES[count];
    if (place !== undefined) told[place] = (told[place] ?? 0) + value;
    count += 1;
  }
  if (count < MIN_COUNTERS) return false;
  counters.set(told, from);
  return true;
}

/** Of the line that is being read. */
const REPORTED = new Float64Array(COUNTERS);

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0d;
}

/** Percentage of the time between two readings that was not idle; null when a counter went back or no time passed. */
export function totalUtilization(before: ProcStat | null, after: ProcStat): number | null {
  if (before?.hasTotal !== true || !after.hasTotal) return null;
  const usage = { busy: 0, elapsed: 0 };
  return addUsage(usage, before, 0, after, 0) ? percentOf(usage.busy, usage.elapsed) : null;
}

/** The same of one CPU; null too when it was not online both times. */
export function cpuUtilization(cpu: number, before: ProcStat | null, after: ProcStat): number | null {
  if (before === null) return null;
  const usage = { busy: 0, elapsed: 0 };
  return addCpuUsage(usage, cpu, before, after) ? percentOf(usage.busy, usage.elapsed) : null;
}

/** The same over several CPUs together, such as those of a socket; those without both readings are passed over. */
export function utilizationOfCpus(
  cpus: readonly number[],
  before: ProcStat | null,
  after: ProcStat,
): number | null {
  if (before === null) return null;
  const usage = { busy: 0, elapsed: 0 };
  for (const cpu of cpus) if (!addCpuUsage(usage, cpu, before, after)) return null;
  return percentOf(usage.busy, usage.elapsed);
}

/** -1 for a CPU that is not there. */
function placeOf(cpu: number, { cpus, places }: ProcStat): number {
  if (places !== null) return places.get(cpu) ?? -1;
  return cpu < cpus.length ? cpu : -1;
}

interface Usage {
  busy: number;
  elapsed: number;
}

/** Adds nothing for a CPU that was not online both times. False when a counter went back. */
function addCpuUsage(usage: Usage, cpu: number, before: ProcStat, after: ProcStat): boolean {
  const then = placeOf(cpu, before);
  const now = placeOf(cpu, after);
  if (then < 0 || now < 0) return true;
  return addUsage(usage, before, (then + 1) * COUNTERS, after, (now + 1) * COUNTERS);
}

function addUsage(usage: Usage, before: ProcStat, then: number, after: ProcStat, now: number): boolean {
  let busy = 0;
  for (let counter = 0; counter < BUSY; counter++) {
    const delta = (after.counters[now + counter] ?? 0) - (before.counters[then + counter] ?? 0);
    if (delta < 0) return false;
    busy += delta;
  }
  const idle = (after.counters[now + BUSY] ?? 0) - (before.counters[then + BUSY] ?? 0);
  if (idle < 0) return false;
  usage.busy += busy;
  usage.elapsed += busy + idle;
  return true;
}
