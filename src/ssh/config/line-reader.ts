/** The words of one line, taken one by one, and the error that ends the reading. */
import type { Directive, SettingValue } from "./directive.js";
import type { DialectVersion } from "./dialect.js";
import type { ServicePort } from "./jump.js";

/** What is needed of the machine to read a line. */
export interface ReadContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly servicePort: ServicePort;
  /** May start `ssh -V` when it is read first: read it only where it decides. */
  readonly dialect: DialectVersion;
}

/** Thrown by a value reader; never leaves the parser. */
export class LineProblem extends Error {
  constructor(
    message: string,
    readonly fatal = false,
  ) {
    super(message);
  }
}

export class LineReader {
  private taken = 0;
  constructor(
    readonly keyword: string,
    readonly rest: string,
    private readonly args: readonly string[],
    readonly context: ReadContext,
  ) {}

  /** The next word; undefined at the end. */
  next(): string | undefined {
    return this.args[this.taken++];
  }

  /** The next word, which must not be empty. */
  need(message = "Missing argument."): string {
    const word = this.next();
    if (word === undefined || word === "") throw new LineProblem(message);
    return word;
  }

  /** All remaining words. */
  all(): readonly string[] {
    const words = this.args.slice(this.taken);
    this.taken = this.args.length;
    return words;
  }

  get left(): number {
    return Math.max(0, this.args.length - this.taken);
  }

  /** The line after the keyword as written, for commands. */
  command(): string {
    this.all();
    return this.rest.replace(/^[ \t\r\n=]+/, "");
  }
}

export type Reader = (line: LineReader, key: string) => Directive;

export function set(key: string, value: SettingValue): Directive {
  return { kind: "set", settings: [[key, value]] };
}

export const NOTHING: Directive = { kind: "nothing" };
