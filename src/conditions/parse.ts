/**
 * The grammar of `--fail-on`:
 *
 *     condition  = or [ "for" NUMBER ( "tick" | "ticks" ) ]
 *     or         = and { "or" and }
 *     and        = not { "and" not }
 *     not        = "not" not | "(" or ")" | comparison
 *     comparison = operand OPERATOR value | operand "in" "(" value { "," value } ")"
 *     operand    = path | "count" "(" section [ "where" or ] ")"
 *     path       = a record's field, or a section (gpu or gpus) and a field of its devices, joined by dots
 *     OPERATOR   = > >= < <= == (or =) !=
 *     value      = NUMBER | true | false | null | "text" | 'text' | bare text
 *
 * After `where`, a path may leave the section out: `count(gpus where utilization < 5)`. A segment that holds other
 * characters is quoted: `gpu.detail."CUDA Version"`.
 */
import { cleanText, oneLine } from "../lib/text.js";
import { recordKeys } from "../contract/field-path.js";
import { KEY_OF_SECTION, sectionNamed, SECTIONS, type Section } from "../contract/record.js";
import {
  rowSections,
  type Condition,
  type Expression,
  type Operand,
  type Scalar,
} from "../contract/condition.js";
import { isKeyword, Problem, TokenCursor, type Token } from "./lexer.js";
import { checkLiteral, scalarOf, type FieldNames } from "./literal.js";

export type ParsedExpression =
  | { readonly kind: "condition"; readonly condition: Condition }
  | { readonly kind: "problem"; readonly problem: string };

const HELP = 'write PATH OPERATOR VALUE, as "gpu.temperature > 85" or "state != connected"';
/** What is wrong stands behind the condition, and must be read. */
const MAX_SHOWN_CHARS = 500;
const MAX_DEPTH = 32;
const MAX_TICKS = 1_000_000;
/** Each combination of devices is looked at: gpu x process is some 10,000, three sections would be millions. */
const MAX_SECTIONS = 2;

/** Never throws. A problem names the condition and what is wrong with it. */
export function parseCondition(text: string, fields: FieldNames): ParsedExpression {
  try {
    return { kind: "condition", condition: new Parser(text, fields).condition() };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return { kind: "problem", problem: `"${oneLine(text, MAX_SHOWN_CHARS)}": ${cleanText(error.message)}` };
  }
}

class Parser {
  readonly #text: string;
  readonly #fields: FieldNames;
  readonly #tokens: TokenCursor;
  #depth = 0;
  /** The section whose fields need no prefix: inside a count's `where`. */
  #inside: Section | null = null;

  constructor(text: string, fields: FieldNames) {
    this.#text = text;
    this.#fields = fields;
    this.#tokens = new TokenCursor(text);
  }

  condition(): Condition {
    const expression = this.#or();
    const ticks = this.#tokens.takeKeyword("for") ? this.#ticks() : 1;
    const rest = this.#tokens.peek();
    if (rest.kind !== "end") throw new Problem(`${this.#tokens.shown(rest)} is not expected here; ${HELP}`);
    const sections = rowSections(expression);
    if (sections.length > MAX_SECTIONS)
      throw new Problem(
        `compares devices of ${sections.length} sections; at most ${MAX_SECTIONS} can be combined`,
      );
    return { text: this.#text.trim(), expression, sections, ticks };
  }

  #or(): Expression {
    return this.#chain("or", () => this.#chain("and", () => this.#not()));
  }

  #chain(kind: "and" | "or", term: () => Expression): Expression {
    const first = term();
    const terms = [first];
    while (this.#tokens.takeKeyword(kind)) terms.push(term());
    return terms.length === 1 ? first : { kind, terms };
  }

  #not(): Expression {
    if (++this.#depth > MAX_DEPTH) throw new Problem(`is nested more than ${MAX_DEPTH} levels deep`);
    try {
      if (this.#tokens.takeKeyword("not")) return { kind: "not", term: this.#not() };
      if (this.#tokens.peek().kind !== "(") return this.#comparison();
      this.#tokens.take();
      const inner = this.#or();
      this.#tokens.expect(")");
      return inner;
    } finally {
      this.#depth -= 1;
    }
  }

  #comparison(): Expression {
    const operand = this.#operand();
    if (this.#tokens.takeKeyword("in")) return { kind: "in", operand, literals: this.#list(operand) };
    const token = this.#tokens.peek();
    if (token.kind !== "operator") {
      const needed = `an operator (> >= < <= == != in) is needed after ${operand.text}`;
      throw new Problem(`${needed}, before ${this.#tokens.shown(token)}; ${HELP}`);
    }
    this.#tokens.take();
    const literal = this.#value(operand);
    checkLiteral(this.#fields, operand, token.operator, literal);
    return { kind: "compare", operand, operator: token.operator, literal };
  }

  #operand(): Operand {
    const token = this.#tokens.peek();
    if (token.kind !== "word" || isKeyword(token)) {
      const what = token.kind === "end" ? "it ends" : `${this.#tokens.shown(token)} stands`;
      throw new Problem(`${what} where a path is needed; ${HELP}`);
    }
    this.#tokens.take();
    if (token.text.toLowerCase() === "count" && this.#tokens.peek().kind === "(") return this.#count(token);
    return this.#path(token);
  }

  #path(token: Token & { readonly kind: "word" }): Operand {
    const { text, segments } = token;
    const [first = "", ...rest] = segments;
    const named = sectionNamed(first);
    if (this.#inside !== null && named === null) {
      // A device's own field, unless only the record has one of that name.
      const isOwn = this.#fields.problemOf(this.#inside, segments) === null;
      if (isOwn || this.#fields.problemOf(null, recordKeys(segments)) !== null)
        return this.#field(this.#inside, segments, text);
    }
    if (named === null) return this.#field(null, recordKeys(segments), text);
    const isByPlace = rest[0] !== undefined && /^\d+$/.test(rest[0]);
    if (!isByPlace) return this.#field(named, rest, text);
    const problem = this.#fields.problemOf(named, rest.slice(1));
    if (problem !== null) throw new Problem(problem);
    return { kind: "field", section: null, keys: [KEY_OF_SECTION[named], ...rest], text };
  }

  #field(section: Section | null, keys: readonly string[], text: string): Operand {
    const problem = this.#fields.problemOf(section, keys);
    if (problem !== null) throw new Problem(problem);
    return { kind: "field", section, keys, text };
  }

  #count(start: Token): Operand {
    if (this.#inside !== null) throw new Problem("a count cannot stand inside another count");
    this.#tokens.expect("(");
    const token = this.#tokens.peek();
    const section = token.kind === "word" ? sectionNamed(token.text) : null;
    if (section === null)
      throw new Problem(
        `count() takes a section: ${SECTIONS.map((each) => KEY_OF_SECTION[each]).join(", ")}`,
      );
    this.#tokens.take();
    let where: Expression | null = null;
    if (this.#tokens.takeKeyword("where")) {
      this.#inside = section;
      where = this.#or();
      this.#inside = null;
      const other = rowSections(where).find((each) => each !== section);
      if (other !== undefined)
        throw new Problem(`count(${section} where ...) cannot look at the devices of ${other}`);
    }
    const { end } = this.#tokens.expect(")");
    return { kind: "count", section, where, text: this.#text.slice(start.at, end) };
  }

  #list(operand: Operand): readonly Scalar[] {
    this.#tokens.expect("(");
    const literals = [this.#value(operand)];
    while (this.#tokens.peek().kind === ",") {
      this.#tokens.take();
      literals.push(this.#value(operand));
    }
    this.#tokens.expect(")");
    for (const literal of literals) checkLiteral(this.#fields, operand, "==", literal);
    return literals;
  }

  /** Bare text may be of several words, up to the next keyword. Of a field that holds text it is text: `labels.rack == 12`. */
  #value(operand: Operand): Scalar {
    const token = this.#tokens.peek();
    if (token.kind === "string") {
      this.#tokens.take();
      return token.value;
    }
    if (token.kind !== "word" || !isPlainWord(token)) {
      throw new Problem(`a value is needed before ${this.#tokens.shown(token)}; ${HELP}`);
    }
    let last: Token = token;
    while (isPlainWord(this.#tokens.peek())) last = this.#tokens.take();
    const text = this.#text.slice(token.at, last.end);
    const isText =
      operand.kind === "field" && this.#fields.valuesOf(operand.section, operand.keys).kind === "text";
    return isText && text !== "null" ? text : scalarOf(text);
  }

  #ticks(): number {
    const [count, unit] = [this.#tokens.take(), this.#tokens.take()];
    const ticks = count.kind === "word" && /^\d+$/.test(count.text) ? Number(count.text) : 0;
    const isUnit = unit.kind === "word" && /^ticks?$/i.test(unit.text);
    if (!isUnit || ticks < 1 || ticks > MAX_TICKS) throw new Problem('write how long as "for 3 ticks"');
    return ticks;
  }
}

function isPlainWord(token: Token): boolean {
  return token.kind === "word" && !isKeyword(token);
}
