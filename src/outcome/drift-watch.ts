/** How the hosts of a run differ (`--drift`), as of the last record of each. */
import type { StreamRecord } from "../contract/record.js";
import { isRemoval } from "../contract/removed.js";
import { compareHosts, driftLine, traitsOf, type HostTraits } from "../health/drift.js";
import { cleanText } from "../lib/text.js";

/** Hosts that a line names for each value. */
const MAX_NAMED = 20;

export class DriftWatch {
  readonly #hosts = new Map<string, HostTraits>();
  #report: DriftReport | null = null;

  take(record: StreamRecord): void {
    if (isRemoval(record)) {
      if (this.#hosts.delete(record.host_id)) this.#report = null;
      return;
    }
    const before = this.#hosts.get(record.host_id);
    // Connected and without a frame: the next reading is still under way, and the host is what it was.
    if (record.record === "state" && record.state === "connected" && before !== undefined) return;
    const traits = traitsOf(record);
    const isSame = before?.values.every((value, at) => value === traits.values[at]) === true;
    if (isSame) return;
    this.#hosts.set(record.host_id, traits);
    this.#report = null;
  }

  get hosts(): readonly HostTraits[] {
    return [...this.#hosts.values()];
  }

  /** Made anew only where a host has changed. */
  get report(): DriftReport {
    this.#report ??= driftReport(this.hosts);
    return this.#report;
  }
}

export interface DriftReport {
  readonly isDrift: boolean;
  /** A line for each difference, or one line: there is none, or nothing was compared. */
  readonly lines: readonly string[];
}

export function driftReport(hosts: readonly HostTraits[]): DriftReport {
  const { drifts, compared } = compareHosts(hosts);
  const isDrift = drifts.length > 0;
  if (isDrift)
    return { isDrift, lines: drifts.map((drift) => cleanText(`drift: ${driftLine(drift, MAX_NAMED)}`)) };
  const line =
    compared === 0
      ? "drift: nothing was compared: no two hosts of a group have GPU readings"
      : `drift: none; ${compared} of ${hosts.length} hosts were compared`;
  return { isDrift, lines: [line] };
}
