/** A condition's text as tokens, and the parser's place among them. */
import type { Operator } from "../contract/condition.js";

export type Token = { readonly at: number; readonly end: number } & (
  | { readonly kind: "operator"; readonly operator: Operator }
  | { readonly kind: "(" | ")" | "," | "end" }
  /** In quotes: a value, never a keyword. */
  | { readonly kind: "string"; readonly value: string }
  /** A keyword, path, number or bare value. A path may have quoted segments: `gpu.detail."CUDA Version"`. */
  | { readonly kind: "word"; readonly text: string; readonly segments: readonly string[] }
  | { readonly kind: "bad"; readonly problem: string }
);

const OPERATORS: Readonly<Record<string, Operator>> = {
  ">=": ">=",
  "<=": "<=",
  "==": "==",
  "!=": "!=",
  ">": ">",
  "<": "<",
  "=": "==",
};

const SPACE = /\s*/y;
const OPERATOR = />=|<=|==|!=|>|<|=/y;
const QUOTED = /"([^"]*)"|'([^']*)'/y;
const WORD = /(?:[^\s"'()<>=!,]|(?<=\.)(?:"[^"]*"|'[^']*'))+/y;
const SEGMENT = /"([^"]*)"|'([^']*)'|[^."']+/g;

/** Never throws. The last token is `end`, or the first `bad` one. */
function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    return pattern.exec(text);
  };
  for (;;) {
    at += match(SPACE)?.[0].length ?? 0;
    const token = tokenAt(text, at, match);
    tokens.push(token);
    if (token.kind === "end" || token.kind === "bad") return tokens;
    at = token.end;
  }
}

function tokenAt(text: string, at: number, match: (pattern: RegExp) => RegExpExecArray | null): Token {
  const character = text[at];
  if (character === undefined) return { kind: "end", at, end: at };
  if (character === "(" || character === ")" || character === ",")
    return { kind: character, at, end: at + 1 };
  const operator = match(OPERATOR)?.[0];
  if (operator !== undefined)
    return { kind: "operator", operator: OPERATORS[operator] ?? "==", at, end: at + operator.length };
  const quoted = match(QUOTED);
  if (quoted !== null)
    return { kind: "string", value: quoted[1] ?? quoted[2] ?? "", at, end: at + quoted[0].length };
  const word = match(WORD)?.[0];
  if (word !== undefined) {
    const segments = [...word.matchAll(SEGMENT)].map(([all, double, single]) => double ?? single ?? all);
    return { kind: "word", text: word, segments, at, end: at + word.length };
  }
  const isQuote = character === '"' || character === "'";
  const problem = isQuote
    ? `the quote at "${text.slice(at)}" is not closed`
    : `"${character}" is not expected`;
  return { kind: "bad", problem, at, end: at };
}

const KEYWORDS: ReadonlySet<string> = new Set(["and", "or", "not", "in", "where", "for"]);

export function isKeyword(token: Token): boolean {
  return token.kind === "word" && KEYWORDS.has(token.text.toLowerCase());
}

/** What is wrong with a condition, as a phrase. */
export class Problem extends Error {}

/** Reads the tokens of a text one by one. Everything that looks at a token throws Problem for text that is none. */
export class TokenCursor {
  readonly #text: string;
  readonly #tokens: readonly Token[];
  #next = 0;

  constructor(text: string) {
    this.#text = text;
    this.#tokens = tokensOf(text);
  }

  /** The next token; `end` stays the next one for ever. */
  peek(): Token {
    const token = this.#tokens[Math.min(this.#next, this.#tokens.length - 1)];
    if (token === undefined) throw new Problem("is empty");
    if (token.kind === "bad") throw new Problem(token.problem);
    return token;
  }

  take(): Token {
    const token = this.peek();
    this.#next += 1;
    return token;
  }

  expect(kind: "(" | ")"): Token {
    const token = this.peek();
    if (token.kind === kind) return this.take();
    throw new Problem(`"${kind}" is needed before ${this.shown(token)}`);
  }

  takeKeyword(keyword: string): boolean {
    const token = this.peek();
    const isIt = token.kind === "word" && token.text.toLowerCase() === keyword;
    if (isIt) this.#next += 1;
    return isIt;
  }

  /** For a message: what stands there, to the end of the text. */
  shown(token: Token): string {
    return token.kind === "end" ? "the end" : `"${this.#text.slice(token.at)}"`;
  }
}
