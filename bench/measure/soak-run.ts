/** Our program watching a large farm for long, with an account of every minute. */
import { loadavg } from "node:os";
import type { Farm } from "../fleet/fleet.js";
import { TickLedger } from "./tick-ledger.js";
import { ON_MAIN_THREAD, sleep, spanOf, startWatch } from "./watch-run.js";
import type { Mark, WatchRun } from "./watch-run.js";

export interface Minute {
  readonly minute: number;
  readonly frames: number;
  /** Ticks of hosts that we owe an explanation for, and why. */
  readonly missedByUs: number;
  readonly why: Readonly<Record<string, number>>;
  /** How many hosts have no record of a tick, by tick. */
  readonly noRecordOf: Readonly<Record<number, number>>;
  /** Records that are missing or doubled, of ticks before counting began. */
  readonly missedAtStart: number;
  readonly late: number;
  /** The latest a record came after its tick began. */
  readonly latestMs: number;
  /** Microseconds a host and tick; null in the first, which is the moment at which counting begins. */
  readonly clientUs: number | null;
  readonly serverUs: number | null;
  readonly rssMib: number;
  /** What is alive after a collection of garbage, where it was asked for. */
  readonly heapKib: number | null;
  /** What this account of it took, in parts of a core. */
  readonly checkerCores: number;
  /** The longest that this account kept the program waiting for its reader, to a tenth of a second. */
  readonly readerMs: number;
  /** Of the whole machine: above its cores, a late record says little of us. */
  readonly load: number;
}

const READER_STEP_MS = 100;

export class SoakRun {
  readonly #run: WatchRun;
  readonly #farm: Farm;
  readonly #intervalSecs: number;
  readonly #ledger: TickLedger;
  #begunMs = 0;
  #from: Mark | null = null;
  #checker = { us: 0, atMs: 0 };
  #readerMs = 0;
  readonly #readerWatch: NodeJS.Timeout;

  /** `heapAfterGc` is the peer of that name; null: the program runs as by default, and its heap is not asked for. */
  constructor(program: string, farm: Farm, intervalSecs: number, heapAfterGc: string | null) {
    const ledger = new TickLedger(intervalSecs * 1000);
    const node = heapAfterGc === null ? [] : ["--expose-gc", "--import", `file://${heapAfterGc}`];
    ledger.countFrom(Infinity);
    this.#run = startWatch(program, farm, {
      intervalSecs,
      node,
      args: heapAfterGc === null ? [] : ON_MAIN_THREAD,
      watch: (head) => ledger.take(head),
    });
    this.#farm = farm;
    this.#intervalSecs = intervalSecs;
    this.#ledger = ledger;
    let heardMs = performance.now();
    this.#readerWatch = setInterval(() => {
      const nowMs = performance.now();
      this.#readerMs = Math.max(this.#readerMs, nowMs - heardMs - READER_STEP_MS);
      heardMs = nowMs;
    }, READER_STEP_MS);
  }

  /** Returns when every host has had 3 frames. Ticks count from the next one on. */
  async begin(): Promise<void> {
    await this.#run.warm(3, 60_000 + this.#farm.addresses.length * 200);
    this.#ledger.countFrom(this.#ledger.newestTick + 1);
    this.#begunMs = performance.now();
  }

  /** Waits for the end of that minute, and tells what it brought. */
  async minute(
    minute: number,
    options: { readonly withHeap: boolean; readonly isLast: boolean },
  ): Promise<Minute> {
    await sleep(this.#begunMs + minute * 60_000 - performance.now());
    const isQuiet = await this.#quiet();
    if (options.isLast) this.#close(isQuiet);
    const mark = this.#run.mark();
    const span = this.#from === null ? null : spanOf(this.#from, mark);
    const { frames, noRecord, noRecordOf, twice, atStart, late, other, latestMs } = this.#ledger.takeCounts();
    const why = {
      ...(noRecord > 0 ? { "no record": noRecord } : {}),
      ...(twice > 0 ? { twice } : {}),
      ...other,
    };
    const memory = options.withHeap ? await this.#run.memory() : null;
    const told = {
      minute,
      frames,
      missedByUs: Object.values(why).reduce((sum, count) => sum + count, 0),
      why,
      noRecordOf,
      missedAtStart: atStart,
      late,
      latestMs,
      clientUs: span?.clientUs ?? null,
      serverUs: span?.serverUs ?? null,
      rssMib: mark.rssKib / 1024,
      heapKib: memory === null ? null : (memory.heapUsed + memory.external) / 1024,
      checkerCores: this.#checkerCores(),
      readerMs: this.#readerMs,
      load: loadavg()[0] ?? NaN,
    };
    this.#readerMs = 0;
    // What the collection took is in no minute.
    this.#from = this.#run.mark();
    return told;
  }

  async stop(): Promise<void> {
    clearInterval(this.#readerWatch);
    await this.#run.stop();
  }

  /** Between two ticks no answer is held, and so the heap is comparable. False when the hosts leave no such moment. */
  async #quiet(): Promise<boolean> {
    const end = performance.now() + 3 * this.#intervalSecs * 1000;
    while (performance.now() < end) {
      if (this.#ledger.isQuiet(this.#farm.addresses.length)) return true;
      await sleep(20);
    }
    return false;
  }

  #close(isQuiet: boolean): void {
    const { addresses, user, port } = this.#farm;
    const last = this.#ledger.newestTick - (isQuiet ? 0 : 1);
    this.#ledger.close(
      last,
      addresses.map((address) => `${user}@${address}:${port}`),
    );
  }

  #checkerCores(): number {
    const { user, system } = process.cpuUsage();
    const now = { us: user + system, atMs: performance.now() };
    const cores = (now.us - this.#checker.us) / 1000 / (now.atMs - this.#checker.atMs);
    this.#checker = now;
    return cores;
  }
}
