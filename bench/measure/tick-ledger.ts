/** Holds a run to its promise, record by record: every host has exactly one record of every tick. */
import type { RecordHead } from "./record-heads.js";

export interface TickCounts {
  readonly frames: number;
  /** Ours: a tick of a host without any record, or with two. */
  readonly noRecord: number;
  /** How many hosts have no record of a tick, by tick: the first ones. */
  readonly noRecordOf: Readonly<Record<number, number>>;
  readonly twice: number;
  /** The same of ticks before counting began, both together. */
  readonly atStart: number;
  /**
   * The host's: `sample-overrun`, told on the beat. An answer had not come for an interval, while the watcher kept its
   * own time.
   */
  readonly late: number;
  /** Ours: everything else that is no frame with accelerators, by its code; an overrun told off the beat is among them. */
  readonly other: Readonly<Record<string, number>>;
  /** The latest a record came after its tick began. */
  readonly latestMs: number;
}

/** A tick that is this much older than its host's newest and has no record gets none any more. */
const WINDOW = 31;
const MAX_NAMED_TICKS = 20;
const CODE = /"last_error":\{"code":"([^"]*)"/;

/** What is known of one host: all ticks before `from` are settled, bit i is set when `from` + i has its record. */
interface HostTicks {
  from: number;
  seen: number;
  /** Its newest record says that a sample is still under way. */
  isLate: boolean;
}

export class TickLedger {
  readonly #intervalMs: number;
  readonly #hosts = new Map<string, HostTicks>();
  #beganMs = Infinity;
  #newest = -1;
  /** Of the newest tick. */
  #told = 0;
  #since = 0;
  #counts = freshCounts();

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs;
  }

  get newestTick(): number {
    return this.#newest;
  }

  /** Every one of `hosts` has its record of the newest tick: nothing is under way until the next. */
  isQuiet(hosts: number): boolean {
    return this.#told === hosts;
  }

  take(head: RecordHead): void {
    const { tick, hostId } = head;
    if (tick > this.#newest) {
      this.#newest = tick;
      this.#told = 0;
    }
    if (tick === this.#newest) this.#told += 1;
    const host = this.#hosts.get(hostId) ?? { from: 0, seen: 0, isLate: false };
    this.#hosts.set(hostId, host);
    this.#settle(host, tick);
    const afterMs = this.#afterBeat(head);
    const code = whyNoFrame(head);
    host.isLate = code === "sample-overrun";
    if (tick < this.#since) return;
    this.#counts.latestMs = Math.max(this.#counts.latestMs, afterMs);
    if (code === null) this.#counts.frames += 1;
    else if (host.isLate && afterMs < this.#intervalMs / 2) this.#counts.late += 1;
    else this.#counts.other[code] = (this.#counts.other[code] ?? 0) + 1;
  }

  /** Ticks from `tick` on count; of earlier ones only that a record is missing, or is there twice, is told apart. */
  countFrom(tick: number): void {
    this.#since = tick;
  }

  /** The counts since the last call. */
  takeCounts(): TickCounts {
    const counts = this.#counts;
    this.#counts = freshCounts();
    return counts;
  }

  /** Ends the account: what has no record by `lastTick` gets none, but from a host that is known to be late. */
  close(lastTick: number, hosts: readonly string[]): void {
    for (const id of hosts) {
      const host = this.#hosts.get(id) ?? { from: 0, seen: 0, isLate: false };
      for (; host.from <= lastTick; host.from++, host.seen >>>= 1) {
        if ((host.seen & 1) === 1) continue;
        if (host.isLate) this.#counts.late += 1;
        else this.#noRecord(host.from);
      }
    }
  }

  #settle(host: HostTicks, tick: number): void {
    for (; tick - host.from >= WINDOW; host.from++, host.seen >>>= 1)
      if ((host.seen & 1) === 0) this.#noRecord(host.from);
    const bit = 1 << (tick - host.from);
    if (tick < host.from || (host.seen & bit) !== 0) this.#wrong(tick, "twice");
    else host.seen |= bit;
    for (; (host.seen & 1) === 1; host.from++) host.seen >>>= 1;
  }

  #noRecord(tick: number): void {
    const { noRecordOf } = this.#counts;
    this.#wrong(tick, "noRecord");
    if (noRecordOf[tick] === undefined && Object.keys(noRecordOf).length >= MAX_NAMED_TICKS) return;
    noRecordOf[tick] = (noRecordOf[tick] ?? 0) + 1;
  }

  #wrong(tick: number, what: "noRecord" | "twice"): void {
    this.#counts[tick < this.#since ? "atStart" : what] += 1;
  }

  /** The beat is the earliest that any record's timestamp allows. */
  #afterBeat({ timestamp, tick }: RecordHead): number {
    const beatMs = Date.parse(timestamp) - tick * this.#intervalMs;
    this.#beganMs = Math.min(this.#beganMs, beatMs);
    return beatMs - this.#beganMs;
  }
}

/** Null for a frame with accelerators, else what stands in its place. */
function whyNoFrame({ record, text }: RecordHead): string | null {
  if (record === "frame") return text.includes('"gpus":[{') ? null : "frame without accelerators";
  return CODE.exec(text)?.[1] ?? "state without an error";
}

function freshCounts() {
  const byCode: Record<string, number> = {};
  const byTick: Record<number, number> = {};
  return {
    ...{ frames: 0, noRecord: 0, twice: 0, atStart: 0, late: 0, latestMs: 0 },
    ...{ noRecordOf: byTick, other: byCode },
  };
}
