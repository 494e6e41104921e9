/** What the last records of all hosts come to: how many hosts of each kind, and the first of those that are not ok. */
import type { StreamRecord } from "../contract/record.js";
import { isRemoval } from "../contract/removed.js";
import { isRefusal, OUTCOME_KINDS, outcomeOf, type HostOutcome, type OutcomeKind } from "./host-outcome.js";

/** Hosts that are named, of each kind. */
const MAX_NAMED = 3;

export type OutcomeCounts = Readonly<Record<OutcomeKind, number>>;

export interface Problem {
  readonly host: string;
  readonly kind: Exclude<OutcomeKind, "ok">;
  readonly reason: string;
}

export const NO_OUTCOMES: OutcomeCounts = sumOf([]);

/** The parts of one fleet together. */
export function sumOf(parts: readonly OutcomeCounts[]): OutcomeCounts {
  const sum = (kind: OutcomeKind): number => parts.reduce((total, part) => total + part[kind], 0);
  return {
    ok: sum("ok"),
    unknown: sum("unknown"),
    warning: sum("warning"),
    critical: sum("critical"),
    errors: sum("errors"),
    pending: sum("pending"),
    unreachable: sum("unreachable"),
  };
}

export function hostsIn(counts: OutcomeCounts): number {
  return OUTCOME_KINDS.reduce((total, kind) => total + counts[kind], 0);
}

/** Takes the records of a fleet as they come; keeps the last outcome of each host. */
export class FleetOutcome {
  readonly #last = new Map<string, { readonly name: string; readonly outcome: HostOutcome }>();
  readonly #refused = new Set<string>();
  readonly #counts: Record<OutcomeKind, number> = { ...NO_OUTCOMES };

  /** Returns what the record comes to. */
  take(record: StreamRecord): HostOutcome {
    const outcome = outcomeOf(record);
    const before = this.#last.get(record.host_id)?.outcome;
    if (isRemoval(record)) {
      if (before !== undefined) this.#counts[before.kind] -= 1;
      this.#last.delete(record.host_id);
      this.#refused.delete(record.host_id);
      return outcome;
    }
    // Of a sound host it is the same object each time.
    if (before === outcome) return outcome;
    if (before !== undefined) this.#counts[before.kind] -= 1;
    this.#counts[outcome.kind] += 1;
    if (isRefusal(record)) this.#refused.add(record.host_id);
    else this.#refused.delete(record.host_id);
    this.#last.set(record.host_id, { name: record.hostname, outcome });
    return outcome;
  }

  get counts(): OutcomeCounts {
    return { ...this.#counts };
  }

  /** Hosts that answered, and refused. */
  get refused(): number {
    return this.#refused.size;
  }

  /** Of these hosts, names by their ids, the first ones that have no outcome yet; at most `max`. */
  awaited(hosts: ReadonlyMap<string, string>, max: number): readonly string[] {
    const names: string[] = [];
    for (const [id, name] of hosts) {
      if (names.length === max) break;
      if ((this.#last.get(id)?.outcome.kind ?? "pending") === "pending") names.push(name);
    }
    return names;
  }

  /** The first hosts that are not ok, at most MAX_NAMED of each kind. */
  problems(): readonly Problem[] {
    const problems: Problem[] = [];
    const named: Record<OutcomeKind, number> = { ...NO_OUTCOMES };
    for (const { name, outcome } of this.#last.values()) {
      if (outcome.kind === "ok" || named[outcome.kind] >= MAX_NAMED) continue;
      named[outcome.kind] += 1;
      problems.push({ host: name, ...outcome });
    }
    return problems;
  }
}
