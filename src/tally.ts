/** What a run comes to: the exit code that a script can trust. */
import { conditionHolds, type FailCondition } from "./fail-on.js";
import { KEY_OF_SECTION, SECTIONS, type StreamRecord } from "./record.js";

export const EXIT = { ok: 0, internal: 1, usage: 2, someFailed: 3, allFailed: 4, conditionHeld: 5 } as const;

/** Takes every record in; keeps one bit a host. */
export class Tally {
  readonly #failOn: readonly FailCondition[];
  readonly #isFine = new Map<string, boolean>();
  #held = false;

  constructor(failOn: readonly FailCondition[]) {
    this.#failOn = failOn;
  }

  take(record: StreamRecord): void {
    this.#isFine.set(record.host_id, hasData(record));
    this.#held ||= this.#failOn.some((condition) => conditionHolds(condition, record));
  }

  /** By each host's last record; 4 as well when there was none at all. */
  exitCode(): number {
    if (this.#held) return EXIT.conditionHeld;
    const fine = [...this.#isFine.values()].filter((isFine) => isFine).length;
    if (fine === this.#isFine.size && fine > 0) return EXIT.ok;
    return fine === 0 ? EXIT.allFailed : EXIT.someFailed;
  }
}

/** A frame in which at least one section has a device. */
function hasData(record: StreamRecord): boolean {
  return (
    record.record === "frame" &&
    SECTIONS.some((section) => (record[KEY_OF_SECTION[section]]?.length ?? 0) > 0)
  );
}
