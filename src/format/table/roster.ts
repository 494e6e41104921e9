/** The hosts of the table: what is known of each, how each is called, and in which order they stand. */
import type { StreamRecord } from "../../contract/record.js";
import { isRemoval } from "../../contract/removed.js";
import type { TableSort } from "../../contract/table-options.js";
import { HostOrder } from "./order.js";
import { SeenHost } from "./seen-host.js";

const byName = new Intl.Collator("en", { numeric: true });

/** A record with what is shown of it (`--where`); null: nothing. */
export type Chosen = (record: StreamRecord) => StreamRecord | null;

export interface NamedHost {
  readonly id: string;
  readonly label: string;
  readonly host: SeenHost;
}

export class Roster {
  readonly #hosts = new Map<string, SeenHost>();
  /** How each host of the run is called. */
  readonly #names = new Map<string, string>();
  readonly #order: HostOrder;
  readonly #chosen: Chosen | null;
  #labels: ReadonlyMap<string, string> = new Map();
  #places: ReadonlyMap<string, number> = new Map();
  #isNamed = true;
  #newest = "";

  /** `chosen`: null shows everything. */
  constructor(sort: TableSort = "host", chosen: Chosen | null = null) {
    this.#order = new HostOrder(sort);
    this.#chosen = chosen;
  }

  put(record: StreamRecord): void {
    const { host_id: id, timestamp } = record;
    if (isRemoval(record)) {
      this.#hosts.delete(id);
      if (this.#names.delete(id)) this.#isNamed = false;
      return;
    }
    // RFC 3339 in UTC: as texts they sort by time.
    if (timestamp > this.#newest) this.#newest = timestamp;
    if (this.#names.get(id) !== record.hostname) this.#isNamed = false;
    this.#names.set(id, record.hostname);
    const shown = this.#chosen === null ? record : this.#chosen(record);
    const known = this.#hosts.get(id);
    // A host that has no reading is shown with its last one for a while, if that was.
    const isLate =
      shown === null && record.record === "state" && (known?.reading(this.nowMs) ?? null) !== null;
    if (shown === null && !isLate) {
      if (this.#hosts.delete(id)) this.#isNamed = false;
      return;
    }
    if (known !== undefined) known.take(shown ?? record);
    else {
      this.#hosts.set(id, new SeenHost(shown ?? record));
      this.#isNamed = false;
    }
  }

  /** Puts the record in the place of what the host had, its last reading too. */
  replace(record: StreamRecord): void {
    this.#hosts.delete(record.host_id);
    this.#isNamed = false;
    this.put(record);
  }

  /** Whether no host has sent a record. */
  get isEmpty(): boolean {
    return this.#names.size === 0;
  }

  /** Hosts with a record, shown or not. */
  get size(): number {
    return this.#names.size;
  }

  /** The time of the newest record, in ms since the epoch; 0 without any. */
  get nowMs(): number {
    const time = Date.parse(this.#newest);
    return Number.isFinite(time) ? time : 0;
  }

  /** The last record of each host that is shown. */
  records(): readonly StreamRecord[] {
    return [...this.#hosts.values()].map(({ last }) => last);
  }

  /** In order. */
  hosts(): readonly NamedHost[] {
    this.#nameAll();
    return this.#order.sorted(this.#hosts, this.#places, this.nowMs).flatMap((id) => {
      const host = this.#hosts.get(id);
      return host === undefined ? [] : [{ id, label: this.#labels.get(id) ?? id, host }];
    });
  }

  /** The value that `--sort` has of a host; null by name, and where there is none. */
  sortValue(id: string): number | null {
    return this.#order.valueOf(id);
  }

  #nameAll(): void {
    if (this.#isNamed) return;
    this.#isNamed = true;
    this.#labels = hostLabels(this.#names);
    const ids = [...this.#labels].sort(
      ([idA, a], [idB, b]) => byName.compare(a, b) || byName.compare(idA, idB),
    );
    this.#places = new Map(ids.map(([id], place) => [id, place]));
  }
}

/** Its name as typed, or its id where two hosts have the same name. */
function hostLabels(names: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const uses = new Map<string, number>();
  for (const name of names.values()) uses.set(name, (uses.get(name) ?? 0) + 1);
  return new Map([...names].map(([id, name]) => [id, (uses.get(name) ?? 0) > 1 || name === "" ? id : name]));
}
