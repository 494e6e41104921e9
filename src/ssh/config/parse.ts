/** The directives of a configuration file. Pure: Include is not followed here. */
import type { Directive } from "./directive.js";
import { KEYWORDS } from "./keywords.js";
import { lexLine } from "./lexer.js";
import { LineProblem, LineReader, type ReadContext } from "./line-reader.js";
import { parseMatchLine } from "./match-line.js";

export interface ParsedLine {
  /** From 1. */
  readonly line: number;
  readonly directive: Directive;
}

/** Reads a whole file; blank lines and comments are left out. Never throws: mistakes become `bad` directives. */
export function parseText(text: string, context: ReadContext): ParsedLine[] {
  const parsed: ParsedLine[] = [];
  let line = 0;
  for (const written of text.split("\n")) {
    line++;
    const directive = parseLine(written, context);
    if (directive !== null) parsed.push({ line, directive });
  }
  return parsed;
}

/** One line, or null for a blank one or a comment. */
export function parseLine(written: string, context: ReadContext): Directive | null {
  const lexed = lexLine(written);
  if (lexed.kind === "blank") return null;
  if (lexed.kind === "problem") return bad(lexed.message);
  const { keyword, rest, args } = lexed;
  if (keyword === "match") {
    return { kind: "match", ...parseMatchLine(rest, args, context) };
  }
  const known = KEYWORDS.get(keyword);
  if (known === undefined || (known.since > 0 && known.since > context.dialect))
    return { kind: "unknown", keyword };
  const reader = new LineReader(keyword, rest, args, context);
  try {
    const directive = known.read(reader, known.key);
    return reader.left > 0 ? bad(`keyword ${keyword} extra arguments at end of line`) : directive;
  } catch (error) {
    if (error instanceof LineProblem) return bad(error.message, error.fatal);
    throw error;
  }
}

function bad(message: string, fatal = false): Directive {
  return { kind: "bad", message, fatal };
}
