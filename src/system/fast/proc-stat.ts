/**
 * The quick form of PlainCpuCounters (../proc-stat.ts). A large host has several hundred CPUs: all counters of a reading are
 * in one array, and no line is split. Between two ticks a host keeps one reading, of 56 bytes a CPU.
 */

/** user, nice, system, irq, softirq, steal. */
const BUSY = 6;
/** And idle + iowait. */
const COUNTERS = BUSY + 1;
/** Where the line's first eight counters go: idle and iowait are added up in the last place. */
const PLACES = [0, 1, 2, BUSY, BUSY, 3, 4, 5] as const;
const MIN_COUNTERS = 4;

const ZERO = 0x30;

interface Reading {
  readonly hasTotal: boolean;
  readonly cpus: readonly number[];
  /** CPU -> its index in `cpus`; null while every CPU's index is its number, which is the usual case. */
  readonly indices: ReadonlyMap<number, number> | null;
  /** `COUNTERS` of the total, and then of each of `cpus`. */
  readonly counters: Float64Array;
}

interface Usage {
  busy: number;
  elapsed: number;
}

const NONE: Reading = { hasTotal: false, cpus: [], indices: null, counters: new Float64Array(COUNTERS) };

/** The reading before `lastRead`, of the same host. Its counters are in memory that all hosts share. */
let before: Reading = NONE;
let countersBefore: Float64Array = new Float64Array(COUNTERS);
let lastRead: Reading = NONE;

/** A usage is of the reading that was read last: it must be asked for before another host is read. */
export class QuickCpuCounters {
  #now: Reading = NONE;

  get hasTotal(): boolean {
    return this.#now.hasTotal;
  }

  get cpus(): readonly number[] {
    return this.#now.cpus;
  }

  read(lines: readonly string[]): boolean {
    before = movedAway(this.#now);
    this.#now = lastRead = read(lines, this.#now.counters);
    return this.#now.hasTotal || this.#now.cpus.length > 0;
  }

  ofTotal(): Usage | null {
    const earlier = this.#before();
    if (!earlier.hasTotal || !this.#now.hasTotal) return null;
    const usage = { busy: 0, elapsed: 0 };
    return addUsage(usage, earlier, 0, this.#now, 0) ? usage : null;
  }

  ofCpu(cpu: number): Usage | null {
    const usage = { busy: 0, elapsed: 0 };
    return addCpuUsage(usage, cpu, this.#before(), this.#now) ? usage : null;
  }

  ofCpus(cpus: readonly number[]): Usage | null {
    const usage = { busy: 0, elapsed: 0 };
    const earlier = this.#before();
    for (const cpu of cpus) if (!addCpuUsage(usage, cpu, earlier, this.#now)) return null;
    return usage;
  }

  #before(): Reading {
    if (this.#now === NONE) return NONE;
    if (lastRead !== this.#now) throw new Error("another host's counters were read since");
    return before;
  }
}

/** The reading with its counters in the shared memory: its own are overwritten. */
function movedAway(reading: Reading): Reading {
  const { counters } = reading;
  if (countersBefore.length < counters.length) countersBefore = new Float64Array(counters.length);
  countersBefore.set(counters);
  return { ...reading, counters: countersBefore };
}

/** What is being read. */
const draft: Draft = { hasTotal: false, cpus: [], indices: null, counters: new Float64Array(COUNTERS) };

interface Draft {
  hasTotal: boolean;
  readonly cpus: number[];
  indices: Map<number, number> | null;
  counters: Float64Array;
}

/** `memory` is used again where it has the right size. */
function read(lines: readonly string[], memory: Float64Array): Reading {
  fill(draft, lines);
  const { hasTotal, indices, counters, cpus } = draft;
  const used = counters.subarray(0, (cpus.length + 1) * COUNTERS);
  const own =
    memory !== NONE.counters && memory.length === used.length ? memory : new Float64Array(used.length);
  own.set(used);
  return { hasTotal, cpus: indices === null ? firstCpus(cpus.length) : [...cpus], indices, counters: own };
}

const MAX_LISTS = 64;
const lists = new Map<number, readonly number[]>();

/** 0 to `count` - 1: hosts with as many CPUs share one list. */
function firstCpus(count: number): readonly number[] {
  const known = lists.get(count);
  if (known !== undefined) return known;
  if (lists.size >= MAX_LISTS) lists.clear();
  const list = Array.from({ length: count }, (_, cpu) => cpu);
  lists.set(count, list);
  return list;
}

function fill(reading: Draft, lines: readonly string[]): void {
  reading.hasTotal = false;
  reading.cpus.length = 0;
  reading.indices = null;
  for (const line of lines) {
    if (!line.startsWith("cpu")) continue;
    let end = 3;
    while (isDigit(line.charCodeAt(end))) end += 1;
    if (end > 9 || !isBlank(line.charCodeAt(end))) continue;
    if (end === 3) {
      if (!reading.hasTotal) reading.hasTotal = readCounters(line, end, reading.counters, 0);
      continue;
    }
    const cpu = Number(line.slice(3, end));
    const known = indexOf(cpu, reading);
    const index = known < 0 ? reading.cpus.length : known;
    const from = (index + 1) * COUNTERS;
    if (reading.counters.length < from + COUNTERS) reading.counters = grown(reading.counters);
    if (readCounters(line, end, reading.counters, from) && known < 0) add(cpu, reading);
  }
}

function add(cpu: number, reading: Draft): void {
  const index = reading.cpus.push(cpu) - 1;
  if (index !== cpu) reading.indices ??= new Map(reading.cpus.map((each, at) => [each, at]));
  reading.indices?.set(cpu, index);
}

function grown(counters: Float64Array): Float64Array {
  const larger = new Float64Array(counters.length * 2);
  larger.set(counters);
  return larger;
}

/** The counters of the line that is being read. */
const parsed = new Float64Array(COUNTERS);

/** Writes a line's counters to `from`; writes nothing and returns false where the line has anything but whole numbers. */
function readCounters(line: string, begin: number, counters: Float64Array, from: number): boolean {
  let count = 0;
  let at = begin;
  parsed.fill(0);
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
    if (place !== undefined) parsed[place] = (parsed[place] ?? 0) + value;
    count += 1;
  }
  if (count < MIN_COUNTERS) return false;
  counters.set(parsed, from);
  return true;
}

/** Of a UTF-16 code unit; false for NaN, which charCodeAt returns past the text's end. */
function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0d;
}

/** -1 for a CPU that the reading does not have. */
function indexOf(cpu: number, { cpus, indices }: Reading): number {
  if (indices !== null) return indices.get(cpu) ?? -1;
  return cpu < cpus.length ? cpu : -1;
}

/** Adds nothing for a CPU that was not online both times. False when a counter went back. */
function addCpuUsage(usage: Usage, cpu: number, before: Reading, now: Reading): boolean {
  const indexBefore = indexOf(cpu, before);
  const indexNow = indexOf(cpu, now);
  if (indexBefore < 0 || indexNow < 0) return true;
  return addUsage(usage, before, (indexBefore + 1) * COUNTERS, now, (indexNow + 1) * COUNTERS);
}

function addUsage(usage: Usage, before: Reading, fromBefore: number, now: Reading, fromNow: number): boolean {
  let busy = 0;
  for (let counter = 0; counter < BUSY; counter++) {
    const delta = (now.counters[fromNow + counter] ?? 0) - (before.counters[fromBefore + counter] ?? 0);
    if (delta < 0) return false;
    busy += delta;
  }
  const idle = (now.counters[fromNow + BUSY] ?? 0) - (before.counters[fromBefore + BUSY] ?? 0);
  if (idle < 0) return false;
  usage.busy += busy;
  usage.elapsed += busy + idle;
  return true;
}
