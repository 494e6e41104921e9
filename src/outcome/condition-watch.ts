/** The conditions of `--fail-on` over a run: where each holds, for how long it has, and which of its fields were ever read. */
import { hasReading, matchesOf, type Match } from "../conditions/evaluate.js";
import { signalsOf, type Condition } from "../contract/condition.js";
import type { Held } from "../contract/held.js";
import type { StreamRecord } from "../contract/record.js";
import { isRemoval } from "../contract/removed.js";

/** In a record, of each condition: a list of thousands of processes is of no more use. */
const MAX_MATCHES = 64;
const NONE: readonly Held[] = [];

export class ConditionWatch {
  readonly #watches: readonly Watch[];

  constructor(conditions: readonly Condition[]) {
    this.#watches = conditions.map((condition) => new Watch(condition));
  }

  /** Where conditions hold with this record. A transition between ticks is no reading: nothing holds there. */
  take(record: StreamRecord): readonly Held[] {
    if (isRemoval(record)) for (const watch of this.#watches) watch.forget(record.host_id);
    if (record.tick === null || this.#watches.length === 0) return NONE;
    return this.#watches.flatMap((watch) => watch.take(record));
  }

  /** Fields that no record of the run had a reading of, with their condition. */
  unread(): readonly Unread[] {
    return this.#watches.flatMap((watch) => watch.unread());
  }
}

export interface Unread {
  readonly condition: string;
  readonly field: string;
}

class Watch {
  readonly #condition: Condition;
  /** In how many records in a row it has held, by host and device. */
  readonly #runs = new Map<string, ReadonlyMap<string, number>>();
  readonly #unread: Set<string>;

  constructor(condition: Condition) {
    this.#condition = condition;
    this.#unread = new Set([...signalsOf(condition.expression)].map(({ text }) => text));
  }

  take(record: StreamRecord): readonly Held[] {
    if (this.#unread.size > 0) this.#noteRead(record);
    const { text, ticks } = this.#condition;
    const matches = matchesOf(this.#condition, record, MAX_MATCHES);
    const held = ticks === 1 ? matches : this.#longEnough(matches, record.host_id);
    return held.map(({ device, reason }) => ({ condition: text, device, reason }));
  }

  forget(host: string): void {
    this.#runs.delete(host);
  }

  #longEnough(matches: readonly Match[], host: string): readonly Match[] {
    const before = this.#runs.get(host);
    const runs = new Map(matches.map(({ device }) => [device ?? "", (before?.get(device ?? "") ?? 0) + 1]));
    if (runs.size > 0) this.#runs.set(host, runs);
    else this.#runs.delete(host);
    return matches.filter(({ device }) => (runs.get(device ?? "") ?? 0) >= this.#condition.ticks);
  }

  unread(): readonly Unread[] {
    return [...this.#unread].map((field) => ({ condition: this.#condition.text, field }));
  }

  #noteRead(record: StreamRecord): void {
    for (const operand of signalsOf(this.#condition.expression)) {
      if (this.#unread.has(operand.text) && hasReading(operand, record)) this.#unread.delete(operand.text);
    }
  }
}
