/** Ticks of a host that got no record. The next record of a tick names them, with the reason. */
import type { SkippedTicks, StreamRecord } from "../contract/record.js";

export class UnrecordedTicks {
  readonly #spans: SkippedTicks[] = [];

  /** Ticks from `first` to `last`. A span that continues the one before it becomes a part of that. */
  add(first: number, last: number, reason: SkippedTicks["reason"]): void {
    const before = this.#spans.at(-1);
    const isNext = before?.last === first - 1 && before.reason === reason;
    if (isNext) this.#spans.splice(-1, 1, { first: before.first, last, reason });
    else this.#spans.push({ first, last, reason });
  }

  /** The record of a tick, with the ticks that were skipped before it, which are then named. */
  nameIn(record: StreamRecord): StreamRecord {
    if (this.#spans.length === 0) return record;
    return { ...record, skipped_ticks: this.#spans.splice(0) };
  }
}
