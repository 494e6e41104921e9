/**
 * In which order hosts stand: sick ones first, then as `--sort` has it. Rows do not jump: a host that gets worse moves at
 * once; one that heals, or whose reading changes, moves after some time, and not for a small change.
 */
import type { TableSort } from "../../contract/table-options.js";
import type { SeenHost } from "./seen-host.js";
import { mean, sumOrNull, type Summary } from "./summary.js";

/** For so long a host keeps the place that it got last. */
const HOLD_MS = 10_000;
const PERCENT = 100;

interface Reading {
  of(summary: Summary): number | null;
  /** A smaller change moves nothing: a share of the value, and at least so much. */
  readonly minChange: number;
}
const SHARE_OF_CHANGE = 0.05;

const READINGS: Readonly<Record<Exclude<TableSort, "host">, Reading>> = {
  utilization: { of: ({ utilization }) => mean(utilization), minChange: 5 },
  temperature: { of: ({ hottest }) => hottest, minChange: 2 },
  memory: {
    of: ({ usedBytes, totalBytes }) =>
      totalBytes.total > 0 ? (usedBytes.total / totalBytes.total) * PERCENT : null,
    minChange: 2,
  },
  power: { of: ({ watts }) => sumOrNull(watts), minChange: 20 },
};

interface Place {
  rank: number;
  /** When it last was that sick. */
  rankMs: number;
  value: number | null;
  valueMs: number;
}

export class HostOrder {
  readonly #reading: Reading | null;
  readonly #places = new Map<string, Place>();
  #sorted: readonly string[] = [];
  #names: ReadonlyMap<string, number> = new Map();

  constructor(sort: TableSort) {
    this.#reading = sort === "host" ? null : READINGS[sort];
  }

  /** The ids of `hosts` in order. `names`: the place of each by its name; another map when hosts are added. */
  sorted(
    hosts: ReadonlyMap<string, SeenHost>,
    names: ReadonlyMap<string, number>,
    nowMs: number,
  ): readonly string[] {
    let isChanged = names !== this.#names || this.#sorted.length !== hosts.size;
    for (const [id, host] of hosts) if (this.#place(id, host, nowMs)) isChanged = true;
    if (!isChanged) return this.#sorted;
    this.#names = names;
    this.#sorted = [...hosts.keys()].sort((a, b) => this.#compare(a, b));
    return this.#sorted;
  }

  /** The value that a host is sorted by, which lags behind its reading. Null: none, or sorted by name. */
  valueOf(id: string): number | null {
    return this.#places.get(id)?.value ?? null;
  }

  /** Whether its place has changed. */
  #place(id: string, host: SeenHost, nowMs: number): boolean {
    const { rank } = host;
    const value = this.#reading === null ? null : this.#reading.of(host.summary(nowMs));
    const place = this.#places.get(id);
    if (place === undefined) {
      this.#places.set(id, { rank, rankMs: nowMs, value, valueMs: nowMs });
      return true;
    }
    const before = { ...place };
    if (rank >= place.rank) [place.rank, place.rankMs] = [rank, nowMs];
    else if (nowMs - place.rankMs >= HOLD_MS) [place.rank, place.rankMs] = [rank, nowMs];
    // A first reading is no change.
    const isDue = place.value === null || nowMs - place.valueMs >= HOLD_MS;
    if (isDue && this.#differs(place.value, value)) [place.value, place.valueMs] = [value, nowMs];
    return place.rank !== before.rank || place.value !== before.value;
  }

  #differs(held: number | null, value: number | null): boolean {
    if (held === null || value === null) return held !== value;
    const least = Math.max(this.#reading?.minChange ?? 0, Math.abs(held) * SHARE_OF_CHANGE);
    return Math.abs(value - held) >= least;
  }

  #compare(a: string, b: string): number {
    const [one, other] = [this.#places.get(a), this.#places.get(b)];
    const byRank = (other?.rank ?? 0) - (one?.rank ?? 0);
    if (byRank !== 0) return byRank;
    const byValue = (other?.value ?? -Infinity) - (one?.value ?? -Infinity);
    // Both without a reading: NaN.
    if (byValue > 0 || byValue < 0) return byValue;
    return (this.#names.get(a) ?? 0) - (this.#names.get(b) ?? 0);
  }
}
