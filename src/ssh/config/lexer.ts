/** One configuration line to a keyword and its arguments, after the rules of OpenSSH's misc.c (strdelim, argv_split). */
import { lowerAscii } from "../../lib/text.js";

/** `rest` is the text after the keyword, unsplit: commands and Match lines read it themselves. */
export type LexedLine =
  | { readonly kind: "blank" }
  | { readonly kind: "problem"; readonly keyword: string; readonly message: string }
  | {
      readonly kind: "directive";
      readonly keyword: string;
      readonly rest: string;
      readonly args: readonly string[];
    };

const BLANK: LexedLine = { kind: "blank" };

/** Lexes a line without its newline. The keyword is returned in lower case. Linear in the length of the line. */
export function lexLine(line: string): LexedLine {
  const text = trimEnd(untilNul(line));
  let next = delimited(text);
  if (next?.token === "") next = next.rest === null ? null : delimited(next.rest);
  if (next === null || next.token === "" || next.token.startsWith("#")) return BLANK;

  const keyword = lowerAscii(next.token);
  const rest = next.rest?.replace(/^[ \t\r\n]+/, "") ?? "";
  if (rest === "") return { kind: "problem", keyword, message: `no argument after keyword "${keyword}"` };
  const args = splitArguments(rest);
  if (args === null) return { kind: "problem", keyword, message: "invalid quotes" };
  return { kind: "directive", keyword, rest, args };
}

/** C strings end at a NUL; so does a line in ssh. */
function untilNul(line: string): string {
  const nul = line.indexOf("\0");
  return nul === -1 ? line : line.slice(0, nul);
}

/** Removes blanks and form feeds at the end, but never the first character: ssh counts down to index 1. */
function trimEnd(line: string): string {
  let end = line.length;
  while (end > 1 && " \t\r\n\f".includes(line.charAt(end - 1))) end--;
  return line.slice(0, end);
}

export interface Delimited {
  readonly token: string;
  /** What follows; null when the token was the last. */
  readonly rest: string | null;
}

/** The next word, ended by blanks or a single `=`; null when a double quote is never closed. */
export function delimited(text: string): Delimited | null {
  const at = text.search(/[ \t\r\n"=]/);
  if (at === -1) return { token: text, rest: null };
  if (text.charAt(at) === '"') {
    const close = text.indexOf('"', at + 1);
    if (close === -1) return null;
    const token = text.slice(0, at) + text.slice(at + 1, close);
    return { token, rest: skipBlanks(text, close + 1) };
  }
  let rest = skipBlanks(text, at + 1);
  if (text.charAt(at) !== "=" && rest.startsWith("=")) rest = skipBlanks(rest, 1);
  return { token: text.slice(0, at), rest };
}

function skipBlanks(text: string, from: number): string {
  let at = from;
  while (at < text.length && " \t\r\n".includes(text.charAt(at))) at++;
  return text.slice(at);
}

/** Shell-like words with quotes and backslashes, up to a `#` that starts a word; null when a quote is left open. */
function splitArguments(text: string): string[] | null {
  const words: string[] = [];
  let at = 0;
  while (at < text.length) {
    const char = text.charAt(at);
    if (char === " " || char === "\t") {
      at++;
      continue;
    }
    if (char === "#") break;
    const word = readWord(text, at);
    if (word === null) return null;
    words.push(word.text);
    at = word.end;
  }
  return words;
}

function readWord(text: string, from: number): { text: string; end: number } | null {
  // In runs: a word that is built character by character takes memory many times its length.
  const runs: string[] = [];
  let run = from;
  let quote = "";
  let at = from;
  const skipChar = (): void => {
    runs.push(text.slice(run, at));
    run = at + 1;
  };
  for (; at < text.length; at++) {
    const char = text.charAt(at);
    const following = text.charAt(at + 1);
    if (
      char === "\\" &&
      following !== "" &&
      ("'\"\\".includes(following) || (quote === "" && following === " "))
    ) {
      skipChar();
      at++;
    } else if (quote === "" && (char === " " || char === "\t")) break;
    else if (quote === "" && (char === '"' || char === "'")) {
      skipChar();
      quote = char;
    } else if (char === quote) {
      skipChar();
      quote = "";
    }
  }
  runs.push(text.slice(run, at));
  return quote === "" ? { text: runs.join(""), end: at } : null;
}
