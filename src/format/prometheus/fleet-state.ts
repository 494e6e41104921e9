/** The latest state of every host of a run, from which expositions are made. */
import type { StreamRecord } from "../../contract/record.js";
import { isRemoval } from "../../contract/removed.js";
import { HostHistory } from "./host-history.js";
import { viewOf, type HostView } from "./host-view.js";

export class FleetState {
  readonly #hosts = new Map<string, HostHistory>();
  #answered = 0;

  /** `nowMs`: the monotonic time. Keeps the records. */
  absorb(records: readonly StreamRecord[], nowMs: number): void {
    for (const record of records) {
      const history = this.#hosts.get(record.host_id);
      const hadTick = history?.hasTick === true;
      if (isRemoval(record)) {
        this.#hosts.delete(record.host_id);
        if (hadTick) this.#answered -= 1;
        continue;
      }
      if (history === undefined) this.#hosts.set(record.host_id, new HostHistory(record, nowMs));
      else history.take(record, nowMs);
      if (!hadTick && record.tick !== null) this.#answered += 1;
    }
  }

  /** How many hosts have had a record for a tick: a frame, or the reason why there is none. */
  get answered(): number {
    return this.#answered;
  }

  /**
   * The hosts now, in the order in which they first had a record. What is shown does not change when later records come.
   * `staleBeforeMs`: readings of a host whose latest record came before it are left out; null: none is too old.
   */
  views(staleBeforeMs: number | null): readonly HostView[] {
    return Array.from(this.#hosts.values(), (history) =>
      viewOf(history, staleBeforeMs !== null && history.arrivedMs < staleBeforeMs),
    );
  }
}
