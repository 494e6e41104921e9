/** The last record of each host, in an order that does not change as records come. */
import type { HostState, StreamRecord } from "../contract/record.js";
import { countRows, hostLabels, tableRows, type TableRow } from "./table-rows.js";

const byName = new Intl.Collator("en", { numeric: true });

export class Roster {
  private readonly last = new Map<string, StreamRecord>();
  private order: readonly string[] = [];
  private labels: ReadonlyMap<string, string> = new Map();
  private outdated = false;

  put(record: StreamRecord): void {
    if (!this.last.has(record.host_id)) this.outdated = true;
    this.last.set(record.host_id, record);
  }

  records(): readonly StreamRecord[] {
    return [...this.last.values()];
  }

  isEmpty(): boolean {
    return this.last.size === 0;
  }

  states(): readonly HostState[] {
    return Array.from(this.last.values(), (record) => record.state);
  }

  rowCount(): number {
    let count = 0;
    for (const record of this.last.values()) count += countRows(record);
    return count;
  }

  /** The first `limit` rows, hosts by name (dgx-2 before dgx-10). */
  rows(limit: number): readonly TableRow[] {
    this.sort();
    const rows: TableRow[] = [];
    for (const id of this.order) {
      if (rows.length >= limit) break;
      const record = this.last.get(id);
      if (record !== undefined) rows.push(...tableRows(record, this.labels.get(id) ?? id));
    }
    return rows.length > limit ? rows.slice(0, limit) : rows;
  }

  private sort(): void {
    if (!this.outdated) return;
    this.labels = hostLabels(this.last.values());
    this.order = [...this.labels]
      .sort(([idA, a], [idB, b]) => byName.compare(a, b) || byName.compare(idA, idB))
      .map(([id]) => id);
    this.outdated = false;
  }
}
