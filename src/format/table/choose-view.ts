/** Which view a picture has: the most detailed one whose rows all fit. It does not change to and fro. */
import type { TableView } from "../../contract/table-options.js";

export type ShownView = Exclude<TableView, "auto">;

/** How many rows each view needs; of the groups those alone, without sick hosts. */
export interface RowCounts {
  readonly gpus: number;
  readonly hosts: number;
  /** Asked only where nothing else fits. */
  readonly groups: () => number;
}

/** From the most detailed to the least. */
const DETAILED_FIRST: readonly ShownView[] = ["gpus", "hosts", "groups"];
/** A more detailed view comes back only after so long, and where it has rows to spare. */
const HOLD_MS = 10_000;
const SPARE_ROWS = 2;

export class ViewChoice {
  readonly #asked: TableView;
  #shown: ShownView | null = null;
  #sinceMs = 0;

  constructor(asked: TableView) {
    this.#asked = asked;
  }

  /** A terminal of another size: nobody compares the next picture with the last one. */
  forget(): void {
    this.#shown = null;
  }

  choose(counts: RowCounts, rows: number, nowMs: number): ShownView {
    if (this.#asked !== "auto") return this.#asked;
    const best = bestOf(counts, rows);
    if (this.#shown === null || this.#isMove(this.#shown, best, counts, rows, nowMs)) {
      this.#shown = best;
      this.#sinceMs = nowMs;
    }
    return this.#shown;
  }

  #isMove(from: ShownView, to: ShownView, counts: RowCounts, rows: number, nowMs: number): boolean {
    if (from === to) return false;
    if (DETAILED_FIRST.indexOf(to) > DETAILED_FIRST.indexOf(from)) return true;
    const needed = to === "gpus" ? counts.gpus : counts.hosts;
    return needed + SPARE_ROWS <= rows && nowMs - this.#sinceMs >= HOLD_MS;
  }
}

/** One group of all hosts shows less than a part of the hosts, and so do groups that do not fit. */
function bestOf({ gpus, hosts, groups }: RowCounts, rows: number): ShownView {
  if (gpus <= rows) return "gpus";
  if (hosts <= rows) return "hosts";
  const count = groups();
  return count > 1 && count <= rows ? "groups" : "hosts";
}
