/** The query of one host's ticks: which fields a tick asks for, and how its answer is read. */
import type { Gpu } from "../../contract/record.js";
import { sharedValue } from "../../lib/shared-values.js";
import type { ProgramPart } from "../kit/shim.js";
import { fieldsAmong, queryCommand, SELDOM_FIELDS, withoutSeldom } from "./fields.js";
import { readQuery, type QueryAnswer, type ReadQuery } from "./query.js";
import type { SeldomReadings } from "./seldom.js";

/** Each time, the query asks for every field; the ticks in between ask only for those that are not kept. */
export const ALL_FIELDS_EVERY_TICKS = 600;

export interface Probed {
  /** Fields that the driver knows. */
  readonly columns: readonly string[];
  readonly answer: QueryAnswer;
}

export class TickQuery {
  readonly #id: string;
  readonly #makeReader: (plain: ReadQuery) => ReadQuery;
  readonly #seldom: SeldomReadings;
  #fields: readonly string[];
  /** Whether the next tick asks for every field. */
  #asksAll: boolean;
  #ticksSinceAll = 0;
  /** The GPUs of the probe's answer, of which nothing is kept yet. */
  #unkept: readonly Gpu[] | null = null;
  /** Set where a GPU was read of which nothing is kept. */
  #hasUnknown = false;
  #read: ReadQuery;
  #part: ProgramPart;

  /** `id`: that of its part. `makeReader` makes the reader of ticks from the plain one. */
  constructor(
    id: string,
    { columns, answer }: Probed,
    seldom: SeldomReadings,
    makeReader: (plain: ReadQuery) => ReadQuery,
  ) {
    this.#id = id;
    this.#seldom = seldom;
    this.#makeReader = makeReader;
    this.#fields = fieldsOf(columns);
    // A probe without our script asks for ten fields.
    this.#asksAll =
      columns !== answer.columns &&
      this.#fields.some((field) => SELDOM_FIELDS.has(field) && !answer.columns.includes(field));
    this.#read = this.#newReader();
    this.#part = this.#newPart();
  }

  /** The same object as long as the fields stay the same; hosts with the same fields share it. */
  get part(): ProgramPart {
    return this.#part;
  }

  /** The probe's own answer as a tick's. What is kept of it is taken out by the first tick: a short run has none. */
  first(answer: QueryAnswer): QueryAnswer {
    this.#unkept = answer.gpus;
    return { ...answer, gpus: answer.gpus.map((gpu) => this.#seldom.completeByItself(gpu)) };
  }

  read(text: string): QueryAnswer {
    if (this.#unkept !== null) this.#seldom.remember(this.#unkept);
    this.#unkept = null;
    return this.#asksAll ? this.#readAll(text) : this.#readTick(text);
  }

  /** A field that the driver refused is not asked for again. */
  leaveOut(refused: string): void {
    this.#fields = this.#fields.filter((field) => field !== refused);
    this.#part = this.#newPart();
  }

  #readAll(text: string): QueryAnswer {
    const answer = readQuery(text, this.#asked());
    if (answer.gpus.length === 0) return answer;
    // The quick reader of ticks holds what was kept before.
    if (this.#seldom.remember(answer.gpus)) this.#read = this.#newReader();
    this.#ticksSinceAll = 0;
    this.#hasUnknown = false;
    this.#askNext(false);
    return this.#completed(answer);
  }

  #readTick(text: string): QueryAnswer {
    const answer = this.#read(text, this.#asked());
    this.#ticksSinceAll += 1;
    const isDue = this.#ticksSinceAll >= ALL_FIELDS_EVERY_TICKS - 1 || this.#hasUnknown;
    if (isDue && this.#fields.some((field) => SELDOM_FIELDS.has(field))) this.#askNext(true);
    return answer;
  }

  #completed(answer: QueryAnswer): QueryAnswer {
    return { ...answer, gpus: answer.gpus.map((gpu) => this.#seldom.complete(gpu)) };
  }

  #newReader(): ReadQuery {
    return this.#makeReader((text, columns) => {
      const answer = readQuery(text, columns);
      // Looked for here alone: a quick reader reads without this only what differs in live readings.
      this.#hasUnknown = !this.#seldom.knows(answer.gpus);
      return this.#completed(answer);
    });
  }

  #asked(): readonly string[] {
    return this.#asksAll ? this.#fields : usualOf(this.#fields);
  }

  #askNext(all: boolean): void {
    this.#asksAll = all;
    this.#part = this.#newPart();
  }

  #newPart(): ProgramPart {
    return partOf(this.#id, this.#asked());
  }
}

/** A fleet answers with the same columns, which are one list then: what follows from them is found once. */
const FIELDS = new WeakMap<readonly string[], readonly string[]>();
const USUAL = new WeakMap<readonly string[], readonly string[]>();
const PARTS = new WeakMap<readonly string[], ProgramPart>();

function fieldsOf(columns: readonly string[]): readonly string[] {
  const fields = FIELDS.get(columns) ?? sharedValue(fieldsAmong(columns));
  FIELDS.set(columns, fields);
  return fields;
}

function usualOf(fields: readonly string[]): readonly string[] {
  const usual = USUAL.get(fields) ?? withoutSeldom(fields);
  USUAL.set(fields, usual);
  return usual;
}

function partOf(id: string, fields: readonly string[]): ProgramPart {
  const known = PARTS.get(fields);
  if (known?.id === id) return known;
  const command = queryCommand(fields);
  const part = sharedValue<ProgramPart>({ id, kind: "program", command, isBuffered: true });
  PARTS.set(fields, part);
  return part;
}
