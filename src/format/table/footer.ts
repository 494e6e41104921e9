/** What stands below the table's rows: the fleet in a line, and how its hosts differ (`--drift`). */
import type { StreamRecord } from "../../contract/record.js";
import { isRemoval } from "../../contract/removed.js";
import { DriftWatch } from "../../outcome/drift-watch.js";
import { fleetLine, lineText, type FleetLine } from "../../outcome/fleet-line.js";
import { FleetOutcome, hostsIn } from "../../outcome/fleet-outcome.js";
import type { Look } from "./look.js";
import { fitText } from "./text-width.js";

export interface DriftLines {
  readonly lines: readonly string[];
  /** Whether a line, or the end of one, is left out. */
  readonly isCut: boolean;
}

export interface FooterOptions {
  /** How many hosts are watched, where that is known. */
  readonly hostCount: number | null;
  /** Lines for what differs between hosts of a group. Absent: none. */
  readonly drift?: boolean;
}

export class TableFooter {
  #hostCount: number | null;
  readonly #look: Look;
  readonly #fleet = new FleetOutcome();
  readonly #drift: DriftWatch | null;

  constructor({ hostCount, drift }: FooterOptions, look: Look) {
    this.#hostCount = hostCount;
    this.#look = look;
    this.#drift = drift === true ? new DriftWatch() : null;
  }

  take(record: StreamRecord): void {
    if (this.#hostCount !== null && isRemoval(record)) this.#hostCount -= 1;
    this.#fleet.take(record);
    this.#drift?.take(record);
  }

  /** As the last line of a run, with the hosts that have no record yet; no wider than `width`. */
  fleetLine(width: number): string {
    const { counts } = this.#fleet;
    const unseen = Math.max(0, (this.#hostCount ?? 0) - hostsIn(counts));
    // Hosts that are being connected to are many at the start, and have no reason to be named.
    const problems = this.#fleet.problems().filter(({ kind }) => kind !== "pending");
    const fits = (text: string): boolean => fitText(text, width) === text;
    const line = fleetLine({ ...counts, pending: counts.pending + unseen }, problems, fits);
    return this.#painted(line, width);
  }

  /** In full; none without `--drift`. */
  driftLines(): readonly string[] {
    if (this.#drift === null) return [];
    const { isDrift, lines } = this.#drift.report;
    return lines.map(isDrift ? this.#look.note : this.#look.faint);
  }

  /** What fits of them. */
  driftWithin(width: number, maxLines: number): DriftLines {
    if (this.#drift === null) return { lines: [], isCut: false };
    const { isDrift, lines } = this.#drift.report;
    const hidden = lines.length - maxLines + 1;
    const more = `drift: ${hidden}${maxLines > 1 ? " more" : ""} differences`;
    const chosen =
      lines.length <= maxLines ? lines : maxLines === 0 ? [] : [...lines.slice(0, maxLines - 1), more];
    const fitted = chosen.map((line) => fitText(line, width));
    return {
      lines: fitted.map(isDrift ? this.#look.note : this.#look.faint),
      isCut: chosen !== lines || fitted.some((line, at) => line !== chosen[at]),
    };
  }

  #painted(line: FleetLine, width: number): string {
    const { outcome } = this.#look;
    const text = lineText(line);
    const fitted = fitText(text, width);
    const worst = line.parts.at(-1)?.kind ?? "ok";
    if (fitted !== text) return outcome[worst](fitted);
    const parts = line.parts.map(({ kind, hosts, text: part }) => (hosts === 0 ? part : outcome[kind](part)));
    return `${line.total}: ${parts.join(", ")}`;
  }
}
