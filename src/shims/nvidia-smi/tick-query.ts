/** The query of one host's ticks: which fields a tick asks for, and how its answer is read. */
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
    this.#fields = sharedValue(fieldsAmong(columns));
    // A probe without our script asks for ten fields.
    this.#asksAll = this.#fields.some((field) => SELDOM_FIELDS.has(field) && !answer.columns.includes(field));
    this.#read = this.#newReader();
    this.#part = this.#newPart();
  }

  /** The same object as long as the fields stay the same; hosts with the same fields share it. */
  get part(): ProgramPart {
    return this.#part;
  }

  /** The probe's own answer as a tick's. */
  first(answer: QueryAnswer): QueryAnswer {
    this.#seldom.remember(answer.gpus);
    return this.#completed(answer);
  }

  read(text: string): QueryAnswer {
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
    return this.#asksAll ? this.#fields : withoutSeldom(this.#fields);
  }

  #askNext(all: boolean): void {
    this.#asksAll = all;
    this.#part = this.#newPart();
  }

  #newPart(): ProgramPart {
    const command = queryCommand(this.#asked());
    return sharedValue({ id: this.#id, kind: "program", command, isBuffered: true });
  }
}
