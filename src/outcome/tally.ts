/** The counts of a run, and the exit code that follows from them. */
import { conditionHolds, type FailCondition } from "../contract/fail-on.js";
import { KEY_OF_SECTION, SECTIONS, type StreamRecord } from "../contract/record.js";

export const EXIT = { ok: 0, internal: 1, usage: 2, someFailed: 3, allFailed: 4, conditionHeld: 5 } as const;

/** The result of a run so far. */
export interface Counts {
  /** Hosts with at least one record. */
  readonly hosts: number;
  /** Those whose last record is a frame with at least one device. */
  readonly fine: number;
  /** Whether a condition of `--fail-on` held in any record. */
  readonly held: boolean;
}

/** Counts records; keeps one bit a host. */
export class Tally {
  readonly #failOn: readonly FailCondition[];
  readonly #isFine = new Map<string, boolean>();
  #fine = 0;
  #held = false;

  constructor(failOn: readonly FailCondition[]) {
    this.#failOn = failOn;
  }

  take(record: StreamRecord): void {
    const was = this.#isFine.get(record.host_id) ?? false;
    const is = hasData(record);
    if (is !== was) this.#fine += is ? 1 : -1;
    this.#isFine.set(record.host_id, is);
    this.#held ||= this.#failOn.some((condition) => conditionHolds(condition, record));
  }

  get counts(): Counts {
    return { hosts: this.#isFine.size, fine: this.#fine, held: this.#held };
  }
}

/** From each host's last record; `allFailed` also when there was no record. `parts` are the parts of one fleet. */
export function exitCodeOf(parts: readonly Counts[]): number {
  if (parts.some(({ held }) => held)) return EXIT.conditionHeld;
  const fine = parts.reduce((sum, part) => sum + part.fine, 0);
  if (fine === 0) return EXIT.allFailed;
  return parts.every((part) => part.fine === part.hosts) ? EXIT.ok : EXIT.someFailed;
}

/** A frame in which at least one section has a device. */
function hasData(record: StreamRecord): boolean {
  return (
    record.record === "frame" &&
    SECTIONS.some((section) => (record[KEY_OF_SECTION[section]]?.length ?? 0) > 0)
  );
}
