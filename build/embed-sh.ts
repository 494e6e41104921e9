/**
 * Makes src/remote/embedded-sh.ts of the readable src/remote/sh/*.sh: the same shell text without comments and indentation,
 * on one line and with short names, since every byte goes to every host. `UPDATE_GOLDEN=1 node --import tsx --test
 * test/remote/script-text.test.ts` writes it.
 *
 * shfmt (sh-syntax on npm) was looked at: it cannot minify to one line, and renames nothing.
 *
 * The .sh files are a small part of POSIX sh, and whatever is outside of it throws:
 * - a command or a keyword's part on each line; no here-documents, continued lines, strings of several lines, single
 *   quotes or comments behind a command;
 * - each name of ours has an underscore in it, so that it is nothing else, and stands in one `# short: NAME=SHORT` line;
 * - `# fragment: NAME` begins the text that is embedded as NAME, `@NAME@` is a place that script.ts fills.
 */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const FOLDER = fileURLToPath(new URL("../src/remote/sh/", import.meta.url));

export interface ShFile {
  readonly name: string;
  readonly text: string;
}

/** The files of src/remote/sh, by name. */
export function readShFiles(): readonly ShFile[] {
  return readdirSync(FOLDER)
    .sort()
    .map((name) => ({ name, text: readFileSync(FOLDER + name, "utf8") }));
}

const COMMENT = /^\s*#/;
const SHORT = /^# short: (.+)$/;
const FRAGMENT = /^# fragment: (\w+)$/;
/** A name of ours. */
const NAME = /(?<![A-Za-z0-9_])[a-z][a-z0-9]*(?:_[a-z0-9]+)+(?![A-Za-z0-9_])/g;

/** The fragments of all files as they are written, by name. */
export function readableFragments(files: readonly ShFile[]): ReadonlyMap<string, string> {
  const fragments = new Map<string, string>();
  for (const { name, text } of files) {
    let current: string | null = null;
    for (const line of text.split("\n")) {
      const begun = FRAGMENT.exec(line)?.[1];
      if (begun !== undefined) {
        if (fragments.has(begun)) throw new Error(`${name}: a second fragment ${begun}`);
        current = begun;
        fragments.set(begun, "");
      } else if (current !== null) {
        fragments.set(current, `${fragments.get(current) ?? ""}${line}\n`);
      } else if (line !== "" && !COMMENT.test(line)) {
        throw new Error(`${name}: a command outside of any fragment: ${line}`);
      }
    }
  }
  return fragments;
}

/** The fragments of all files as they go over the wire, by name. */
export function minifiedFragments(files: readonly ShFile[]): ReadonlyMap<string, string> {
  const names = shortNames(files);
  return new Map([...readableFragments(files)].map(([name, text]) => [name, minify(text, names)]));
}

/** Short names by readable name. Throws where two functions, or two variables, would share one. */
export function shortNames(files: readonly ShFile[]): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  const whole = files.map(({ text }) => text).join("\n");
  const taken = new Set<string>();
  for (const line of whole.split("\n")) {
    for (const pair of SHORT.exec(line)?.[1]?.split(" ") ?? []) {
      const [name = "", short = ""] = pair.split("=");
      const kind = whole.includes(`${name}() {`) ? "function" : "variable";
      if (name.match(NAME)?.[0] !== name || !/^[A-Za-z]\w?$/.test(short))
        throw new Error(`not a name and a short name: ${pair}`);
      if (names.has(name) || taken.has(`${kind} ${short}`)) throw new Error(`declared before: ${pair}`);
      taken.add(`${kind} ${short}`);
      names.set(name, short);
    }
  }
  return names;
}

/** One line of shell text that does the same. `names`: as of `shortNames`. */
export function minify(text: string, names: ReadonlyMap<string, string>): string {
  const lines = text
    .split("\n")
    .filter((line) => !COMMENT.test(line))
    .map((line) => line.trim().replace(/ +;;$/, ";;"))
    .filter((line) => line !== "");
  for (const line of lines) refuseUnknown(line);
  let joined = "";
  let last = "";
  for (const line of lines) {
    joined += last === "" ? line : separator(last, line) + line;
    // A pattern on a line of its own; nothing else that ends a line with a parenthesis is taken as it is.
    last = isAfterCaseOrClause(last) && line.endsWith(")") ? PATTERN : line;
  }
  return joined.replaceAll(NAME, (name) => {
    const short = names.get(name);
    if (short === undefined) throw new Error(`no short name for ${name}`);
    return short;
  });
}

const PATTERN = "a pattern)";

function isAfterCaseOrClause(line: string): boolean {
  return /^case .* in$/.test(line) || line.endsWith(";;");
}

function separator(last: string, next: string): string {
  if (last === PATTERN || next.startsWith(";;") || /(?:;;|\||&)$/.test(last)) return "";
  if (/(?:^|[\s;])(?:then|do|else|\{)$/.test(last) || /^case .* in$/.test(last)) return " ";
  // csh takes `!` for its history unless a blank follows, quoted or not.
  return last.endsWith("!") ? " ;" : ";";
}

const REFUSED: readonly (readonly [what: string, found: (line: string) => boolean])[] = [
  ["a here-document", (line) => line.includes("<<")],
  ["a single quote, which would end the quotes round the whole script", (line) => line.includes("'")],
  ["a continued line", (line) => line.endsWith("\\")],
  ["a comment behind a command", (line) => /\s#(?:\s|$)/.test(line)],
  ["a string of several lines", (line) => (line.replaceAll(/\\./g, "").match(/"/g) ?? []).length % 2 !== 0],
  ["a line that ends in an open parenthesis", (line) => line.endsWith("(")],
  ["a line that begins with a separator", (line) => /^(?:;(?!;)|&|\|)/.test(line)],
];

function refuseUnknown(line: string): void {
  for (const [what, found] of REFUSED) if (found(line)) throw new Error(`${what}: ${line}`);
}

/** The text of embedded-sh.ts, before prettier. */
export function embeddedModule(files: readonly ShFile[]): string {
  const members = [...minifiedFragments(files)].map(
    ([name, text]) => `  ${name}: ${JSON.stringify(text)},\n`,
  );
  return (
    "/** The scripts of sh/*.sh as they go over the wire. Made by build/embed-sh.ts; edit the .sh files. */\n" +
    `export const SH = {\n${members.join("")}} as const;\n`
  );
}
