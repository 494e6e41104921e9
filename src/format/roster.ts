/** The last record of each host: sick ones first, where health is judged, then by name. */
import { HEALTH_STATUSES } from "../contract/health.js";
import type { StreamRecord } from "../contract/record.js";
import { isRemoval } from "../contract/removed.js";
import type { IdleGpus } from "./holders.js";
import { countRows, hostLabels, tableRows, type TableRow } from "./table-rows.js";

const byName = new Intl.Collator("en", { numeric: true });

export class Roster {
  private readonly last = new Map<string, StreamRecord>();
  private order: readonly string[] = [];
  private labels: ReadonlyMap<string, string> = new Map();
  private outdated = false;

  /** `idle`: which GPUs are held and idle, for its column; null: it is not shown. */
  constructor(private readonly idle: IdleGpus | null = null) {}

  put(record: StreamRecord): void {
    if (isRemoval(record)) {
      this.outdated = this.last.delete(record.host_id) || this.outdated;
      return;
    }
    const before = this.last.get(record.host_id);
    if (before === undefined || sickness(before) !== sickness(record)) this.outdated = true;
    this.last.set(record.host_id, record);
  }

  records(): readonly StreamRecord[] {
    return [...this.last.values()];
  }

  isEmpty(): boolean {
    return this.last.size === 0;
  }

  rowCount(): number {
    let count = 0;
    for (const record of this.last.values()) count += countRows(record);
    return count;
  }

  /** The first `limit` rows; names as people count (dgx-2 before dgx-10). */
  rows(limit: number): readonly TableRow[] {
    this.sort();
    const rows: TableRow[] = [];
    for (const id of this.order) {
      if (rows.length >= limit) break;
      const record = this.last.get(id);
      if (record !== undefined) rows.push(...tableRows(record, this.labels.get(id) ?? id, this.idle));
    }
    return rows.length > limit ? rows.slice(0, limit) : rows;
  }

  private sort(): void {
    if (!this.outdated) return;
    this.labels = hostLabels(this.last.values());
    this.order = [...this.labels]
      .map(([id, label]) => ({ id, label, sickness: sickness(this.last.get(id)) }))
      .sort(
        (a, b) => b.sickness - a.sickness || byName.compare(a.label, b.label) || byName.compare(a.id, b.id),
      )
      .map(({ id }) => id);
    this.outdated = false;
  }
}

/** The higher the worse. A record that was not judged is of unknown health. */
function sickness(record: StreamRecord | undefined): number {
  return HEALTH_STATUSES.indexOf(record?.health?.status ?? "unknown");
}
