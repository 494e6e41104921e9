/** Records gathered by tick for a table that is appended: a block is ready when every host has sent its record for the tick. */
import type { StreamRecord } from "../contract/record.js";
import { isRemoval } from "../contract/removed.js";

export class TickBlocks {
  private readonly open = new Map<number, Map<string, StreamRecord>>();
  private readonly hosts = new Set<string>();
  private hasClosed = false;

  /**
   * `hostCount`: of the hosts at the start; null where it is not known, and then the hosts seen so far are taken for all, from
   * the second tick on.
   */
  constructor(private hostCount: number | null) {}

  /** The blocks that are ready now, oldest first. Transitions (no tick) are in no block. */
  take(records: readonly StreamRecord[]): readonly (readonly StreamRecord[])[] {
    const ready: (readonly StreamRecord[])[] = [];
    for (const record of records) {
      if (record.tick === null) {
        this.takeTransition(record);
        continue;
      }
      // A tick that is two behind gets no more: a host that skipped it must not hold it back for ever.
      for (const tick of this.open.keys()) {
        if (tick < record.tick - 1 || (tick < record.tick && this.isComplete(tick, true)))
          ready.push(this.close(tick));
      }
      this.hosts.add(record.host_id);
      const block = this.open.get(record.tick) ?? new Map<string, StreamRecord>();
      this.open.set(record.tick, block.set(record.host_id, record));
      if (this.isComplete(record.tick, false)) ready.push(this.close(record.tick));
    }
    return ready;
  }

  /** Hosts join and leave while a run goes on (SIGHUP); the first record of one that joins is a transition. */
  private takeTransition(record: StreamRecord): void {
    if (isRemoval(record)) {
      this.hosts.delete(record.host_id);
      if (this.hostCount !== null) this.hostCount -= 1;
    } else if (this.hostCount !== null) this.hosts.add(record.host_id);
  }

  rest(): readonly (readonly StreamRecord[])[] {
    return [...this.open.keys()].sort((a, b) => a - b).map((tick) => this.close(tick));
  }

  private isComplete(tick: number, later: boolean): boolean {
    const known = later || this.hasClosed ? this.hosts.size : Infinity;
    const expected = this.hostCount === null ? known : Math.max(this.hostCount, this.hosts.size);
    return (this.open.get(tick)?.size ?? 0) >= expected;
  }

  private close(tick: number): readonly StreamRecord[] {
    const block = this.open.get(tick);
    this.open.delete(tick);
    this.hasClosed = true;
    return [...(block?.values() ?? [])];
  }
}
