/** What a run comes to: how many hosts are ok, where conditions held, and the exit code and last line that follow. */
import type { Held } from "../contract/held.js";
import type { Options } from "../contract/options.js";
import type { StreamRecord } from "../contract/record.js";
import type { HostTraits } from "../health/drift.js";
import { cleanText } from "../lib/text.js";
import { ConditionWatch, type Unread } from "./condition-watch.js";
import { driftReport, DriftWatch } from "./drift-watch.js";
import { fleetLine, lineText } from "./fleet-line.js";
import {
  FleetOutcome,
  hostsIn,
  NO_OUTCOMES,
  sumOf,
  type OutcomeCounts,
  type Problem,
} from "./fleet-outcome.js";
import type { HostChanges } from "./host-changes.js";
import { OUTCOME_KINDS, succeeds } from "./host-outcome.js";

export const EXIT = { ok: 0, internal: 1, usage: 2, someFailed: 3, allFailed: 4, conditionHeld: 5 } as const;

/** Devices for which a run logs that a condition held. */
const MAX_HELD_LINES = 20;

/** The result of a run, or of one thread's part of it, so far. */
export interface Counts {
  /** Hosts with at least one record. */
  readonly hosts: number;
  /** The same by what their last records come to. */
  readonly byKind: OutcomeCounts;
  /** Of the unreachable hosts those that refused. */
  readonly refused: number;
  /** Whether a condition of `--fail-on` held in any record. */
  readonly held: boolean;
  /** At the end of the run; null before. */
  readonly details: Details | null;
}

export interface Details {
  /** The first hosts that are not ok, of each kind. */
  readonly problems: readonly Problem[];
  readonly unread: readonly Unread[];
  /** What `--drift` compares of each host; empty without it. */
  readonly traits: readonly HostTraits[];
}

export const NO_COUNTS: Counts = { hosts: 0, byKind: NO_OUTCOMES, refused: 0, held: false, details: null };

/** What a tally looks for beside outcomes. */
export type TallyOptions = Pick<Options, "failOn" | "drift">;

/** Counts records; keeps the last outcome of each host. */
export class Tally {
  readonly #conditions: ConditionWatch;
  readonly #log: ((line: string) => void) | null;
  readonly #changes: HostChanges | null;
  readonly #logged = new Set<string>();
  readonly #fleet = new FleetOutcome();
  readonly #drift: DriftWatch | null;
  #held = false;

  /**
   * `log`: takes a line for each device for which a condition holds, once; null: nothing is logged. `changes` gets each
   * record, too.
   */
  constructor(
    { failOn, drift }: TallyOptions,
    log: ((line: string) => void) | null = null,
    changes: HostChanges | null = null,
  ) {
    this.#changes = changes;
    this.#conditions = new ConditionWatch(failOn);
    this.#drift = drift === null ? null : new DriftWatch();
    this.#log = log;
  }

  /** Returns where conditions hold with this record. */
  take(record: StreamRecord): readonly Held[] {
    const outcome = this.#fleet.take(record);
    this.#changes?.take(record, outcome);
    this.#drift?.take(record);
    const held = this.#conditions.take(record);
    if (held.length > 0) {
      this.#held = true;
      for (const each of held) this.#logOnce(record.hostname, each);
    }
    return held;
  }

  get counts(): Counts {
    const byKind = this.#fleet.counts;
    const { refused } = this.#fleet;
    return { hosts: hostsIn(byKind), byKind, refused, held: this.#held, details: null };
  }

  /** Names, at most `max`, of those hosts that have no outcome yet. */
  awaited(hosts: ReadonlyMap<string, string>, max: number): readonly string[] {
    return this.#fleet.awaited(hosts, max);
  }

  /** The counts at the end of the run. */
  get summary(): Counts {
    const traits = this.#drift?.hosts ?? [];
    return {
      ...this.counts,
      details: { problems: this.#fleet.problems(), unread: this.#conditions.unread(), traits },
    };
  }

  #logOnce(host: string, { condition, device, reason }: Held): void {
    const key = `${host}\n${device ?? ""}\n${condition}`;
    if (this.#log === null || this.#logged.has(key) || this.#logged.size > MAX_HELD_LINES) return;
    this.#logged.add(key);
    const line = `${host}${device === null ? "" : ` ${device}`}: ${reason}`;
    const isLast = this.#logged.size > MAX_HELD_LINES;
    this.#log(isLast ? "more conditions hold; records have them all in `held`" : cleanText(line));
  }
}

/**
 * From each host's last record; `allFailed` also when there was no record. `parts` are the parts of one fleet. With
 * `failOnMissing`, a condition whose reading no record had counts as one that held; with `drift.failsRun` a difference
 * between hosts of a group.
 */
export function exitCodeOf(
  parts: readonly Counts[],
  { failOnMissing, drift }: Pick<Options, "failOnMissing" | "drift">,
): number {
  if (parts.some(({ held }) => held)) return EXIT.conditionHeld;
  if (failOnMissing && unreadIn(parts).length > 0) return EXIT.conditionHeld;
  if (drift?.failsRun === true && driftReport(traitsIn(parts)).isDrift) return EXIT.conditionHeld;
  const byKind = sumOf(parts.map((part) => part.byKind));
  const good = OUTCOME_KINDS.filter(succeeds).reduce((total, kind) => total + byKind[kind], 0);
  if (good === 0) return EXIT.allFailed;
  return good === hostsIn(byKind) ? EXIT.ok : EXIT.someFailed;
}

/** Readings that conditions name and no part of the fleet had. */
export function unreadIn(parts: readonly Counts[]): readonly Unread[] {
  const [first, ...others] = parts.map(({ details }) => details?.unread ?? []);
  return (first ?? []).filter((each) =>
    others.every((unread) =>
      unread.some(({ condition, field }) => condition === each.condition && field === each.field),
    ),
  );
}

/** What `--drift` compares of all hosts. */
export function traitsIn(parts: readonly Counts[]): readonly HostTraits[] {
  return parts.flatMap(({ details }) => details?.traits ?? []);
}

/** As `60 hosts: 57 ok, 2 with errors (gpu-050: gpu: NVML mismatch; ...), 1 unreachable (gpu-060: no answer)`. */
export function lastLine(parts: readonly Counts[]): string {
  const problems = parts.flatMap(({ details }) => details?.problems ?? []);
  return lineText(fleetLine(sumOf(parts.map(({ byKind }) => byKind)), problems));
}
