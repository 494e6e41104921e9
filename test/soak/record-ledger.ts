/** The soak's account: every host has exactly one record of every tick, or a record that names the ticks skipped. */
import type { RecordHead } from "../../bench/measure/record-heads.js";

export interface Account {
  readonly frames: number;
  readonly states: number;
  /** Ticks without a record that a later record of the host names as skipped. */
  readonly skipped: number;
  /** `host tick`: neither a record nor a skip. */
  readonly missing: readonly string[];
  /** `host tick`: more than one record. */
  readonly twice: readonly string[];
  /** Records without a frame, by the code of their failure. */
  readonly codes: Readonly<Record<string, number>>;
}

/** Of the hosts and ticks that are wrong, so many are named. */
const MAX_NAMED = 10;
const SKIPPED = /"skipped_ticks":\[([^\]]*)\]/;
const RANGE = /"first":(\d+),"last":(\d+)/g;
const CODE = /"last_error":\{"code":"([^"]*)"/;
const SKIP = 255;

export class RecordLedger {
  readonly #ticks: number;
  readonly #hosts = new Map<string, Uint8Array>();
  /** The newest record's code; null for a frame. */
  readonly #newest = new Map<string, string | null>();
  readonly #codes: Record<string, number> = {};
  #frames = 0;
  #states = 0;

  constructor(ticks: number) {
    this.#ticks = ticks;
  }

  take({ record, tick, hostId, text }: RecordHead): void {
    const seen = this.#of(hostId);
    seen[tick] = (seen[tick] ?? 0) + 1;
    const code = record === "frame" ? null : (CODE.exec(text)?.[1] ?? "no error");
    this.#newest.set(hostId, code);
    if (code === null) this.#frames += 1;
    else {
      this.#states += 1;
      this.#codes[code] = (this.#codes[code] ?? 0) + 1;
    }
    for (const [, first, last] of (SKIPPED.exec(text)?.[1] ?? "").matchAll(RANGE))
      seen.fill(SKIP, Number(first), Number(last) + 1);
  }

  /** Hosts whose newest record is a frame. */
  get answering(): number {
    return [...this.#newest.values()].filter((code) => code === null).length;
  }

  /**
   * Hosts that wait for an operator: a server that took our key and was killed before it said more looks like one that
   * refuses the login, and is tried again after 5 minutes.
   */
  get held(): number {
    return [...this.#newest.values()].filter((code) => code === "access-denied").length;
  }

  /** `hosts` is how many were watched: one that never had a record misses all of its ticks. */
  close(hosts: number): Account {
    const missing: string[] = [];
    const twice: string[] = [];
    let skipped = 0;
    for (const [id, seen] of this.#hosts)
      for (const [tick, count] of seen.entries()) {
        if (count === SKIP) skipped += 1;
        else if (count === 0) missing.push(`${id} ${tick}`);
        else if (count > 1) twice.push(`${id} ${tick}`);
      }
    for (let silent = this.#hosts.size; silent < hosts; silent++) missing.push(`a host without any record`);
    return { frames: this.#frames, states: this.#states, skipped, missing, twice, codes: this.#codes };
  }

  #of(hostId: string): Uint8Array {
    const known = this.#hosts.get(hostId);
    if (known !== undefined) return known;
    const fresh = new Uint8Array(this.#ticks);
    this.#hosts.set(hostId, fresh);
    return fresh;
  }
}

/** The first of many, and how many there are. */
export function named(items: readonly string[]): string {
  const rest = items.length - MAX_NAMED;
  return `${items.slice(0, MAX_NAMED).join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`;
}
