/** What a run comes to: how many hosts are ok, where conditions held, and the exit code and last line that follow. */
import type { Condition } from "../contract/condition.js";
import type { Held } from "../contract/held.js";
import type { StreamRecord } from "../contract/record.js";
import { cleanText } from "../lib/text.js";
import { ConditionWatch, type Unread } from "./condition-watch.js";
import { outcomeOf, type HostOutcome } from "./host-outcome.js";

export const EXIT = { ok: 0, internal: 1, usage: 2, someFailed: 3, allFailed: 4, conditionHeld: 5 } as const;

/** Hosts that the last line names, of each kind. */
const MAX_NAMED = 3;
/** A host's reason in the last line. */
const MAX_REASON_CHARS = 100;
/** Devices for which a run logs that a condition held. */
const MAX_HELD_LINES = 20;

/** The result of a run, or of one thread's part of it, so far. */
export interface Counts {
  /** Hosts with at least one record. */
  readonly hosts: number;
  /** Those whose last record is a frame without errors. */
  readonly ok: number;
  /** Those whose last record is a frame, with something asked that could not be read. */
  readonly errors: number;
  /** Whether a condition of `--fail-on` held in any record. */
  readonly held: boolean;
  /** At the end of the run; null before. */
  readonly details: Details | null;
}

export interface Details {
  /** The first hosts that are not ok, at most MAX_NAMED of each kind. */
  readonly problems: readonly Problem[];
  readonly unread: readonly Unread[];
}

export interface Problem {
  readonly host: string;
  readonly kind: Exclude<HostOutcome["kind"], "ok">;
  readonly reason: string;
}

export const NO_COUNTS: Counts = { hosts: 0, ok: 0, errors: 0, held: false, details: null };

/** Counts records; keeps the last outcome of each host. */
export class Tally {
  readonly #conditions: ConditionWatch;
  readonly #log: ((line: string) => void) | null;
  readonly #logged = new Set<string>();
  readonly #last = new Map<string, { readonly name: string; readonly outcome: HostOutcome }>();
  #ok = 0;
  #errors = 0;
  #held = false;

  /** `log`: takes a line for each device for which a condition holds, once; null: nothing is logged. */
  constructor(failOn: readonly Condition[], log: ((line: string) => void) | null = null) {
    this.#conditions = new ConditionWatch(failOn);
    this.#log = log;
  }

  /** Returns where conditions hold with this record. */
  take(record: StreamRecord): readonly Held[] {
    const outcome = outcomeOf(record);
    const before = this.#last.get(record.host_id)?.outcome;
    if (before !== outcome) this.#replace(record, before, outcome);
    const held = this.#conditions.take(record);
    if (held.length > 0) {
      this.#held = true;
      for (const each of held) this.#logOnce(record.hostname, each);
    }
    return held;
  }

  get counts(): Counts {
    return { hosts: this.#last.size, ok: this.#ok, errors: this.#errors, held: this.#held, details: null };
  }

  /** The counts at the end of the run. */
  get summary(): Counts {
    return { ...this.counts, details: { problems: this.#problems(), unread: this.#conditions.unread() } };
  }

  #replace(record: StreamRecord, before: HostOutcome | undefined, outcome: HostOutcome): void {
    if (before?.kind === "ok") this.#ok -= 1;
    if (before?.kind === "errors") this.#errors -= 1;
    if (outcome.kind === "ok") this.#ok += 1;
    if (outcome.kind === "errors") this.#errors += 1;
    this.#last.set(record.host_id, { name: record.hostname, outcome });
  }

  #problems(): readonly Problem[] {
    const problems = [...this.#last.values()].flatMap(({ name, outcome }): readonly Problem[] =>
      outcome.kind === "ok" ? [] : [{ host: name, ...outcome }],
    );
    const first = (kind: Problem["kind"]): readonly Problem[] =>
      problems.filter((problem) => problem.kind === kind).slice(0, MAX_NAMED);
    return [...first("errors"), ...first("unreachable")];
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
 * `failOnMissing`, a condition whose reading no record had counts as one that held.
 */
export function exitCodeOf(parts: readonly Counts[], failOnMissing = false): number {
  if (parts.some(({ held }) => held)) return EXIT.conditionHeld;
  if (failOnMissing && unreadIn(parts).length > 0) return EXIT.conditionHeld;
  const { hosts, ok } = sumOf(parts);
  if (ok === 0) return EXIT.allFailed;
  return ok === hosts ? EXIT.ok : EXIT.someFailed;
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

/** As `60 hosts: 57 ok, 2 with errors (gpu-050: gpu: NVML mismatch; ...), 1 unreachable (gpu-060: no answer)`. */
export function lastLine(parts: readonly Counts[]): string {
  const { hosts, ok, errors } = sumOf(parts);
  const problems = parts.flatMap(({ details }) => details?.problems ?? []);
  const named = (kind: Problem["kind"], count: number): string => {
    const shown = problems.filter((problem) => problem.kind === kind).slice(0, MAX_NAMED);
    const texts = shown.map(({ host, reason }) => `${host}: ${shortened(reason)}`);
    const all = count > shown.length ? [...texts, "..."] : texts;
    return all.length === 0 ? "" : ` (${all.join("; ")})`;
  };
  const unreachable = hosts - ok - errors;
  const kinds = [
    `${ok} ok`,
    ...(errors > 0 ? [`${errors} with errors${named("errors", errors)}`] : []),
    ...(unreachable > 0 ? [`${unreachable} unreachable${named("unreachable", unreachable)}`] : []),
  ];
  return cleanText(`${hosts === 1 ? "1 host" : `${hosts} hosts`}: ${kinds.join(", ")}`);
}

function sumOf(parts: readonly Counts[]): Pick<Counts, "hosts" | "ok" | "errors"> {
  const sum = (field: "hosts" | "ok" | "errors"): number =>
    parts.reduce((total, part) => total + part[field], 0);
  return { hosts: sum("hosts"), ok: sum("ok"), errors: sum("errors") };
}

function shortened(reason: string): string {
  return reason.length > MAX_REASON_CHARS ? `${reason.slice(0, MAX_REASON_CHARS - 3)}...` : reason;
}
