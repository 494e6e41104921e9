/**
 * argv to flags with their texts. cac parses; it would turn values into numbers (`007`, `1e3`; cacjs/cac#162), take
 * `--sshKey` for `--ssh-key`, `--no-x` for x, and drop empty values, so each word is checked before it sees it and each
 * value is handed to it behind a colon.
 */
import { cleanText } from "../lib/text.js";
import { FLAGS, type Flag } from "./flags.js";
import { closestName } from "./suggest.js";

export interface GivenFlags {
  /** By flag name; a switch that was given has an empty list. */
  readonly texts: ReadonlyMap<string, readonly string[]>;
  readonly problems: readonly string[];
}

const BY_NAME = new Map(FLAGS.map((flag) => [flag.name, flag]));
const BY_SHORT = new Map(
  FLAGS.flatMap((flag) =>
    flag.takes.kind === "switch" && flag.takes.short !== undefined ? [[flag.takes.short, flag]] : [],
  ),
);

/** Whether help or the version is asked for, whatever else is typed; told without loading the parser. */
export function quickRequest(args: readonly string[]): "help" | "version" | null {
  const { words } = checkWords(args);
  if (words.includes("--help")) return "help";
  return words.includes("--version") ? "version" : null;
}

/** `args` without the program's name. Never rejects for what was typed. */
export async function readFlags(args: readonly string[]): Promise<GivenFlags> {
  const { words, problems } = checkWords(args);
  const { cac } = await import("cac");
  const cli = cac("allsmi-ssh");
  for (const flag of FLAGS) {
    cli.option(
      flag.takes.kind === "value" ? `--${flag.name} <${flag.takes.placeholder}>` : `--${flag.name}`,
      flag.about,
    );
  }
  const parsed: Readonly<Record<string, unknown>> = cli.parse(["node", "allsmi-ssh", ...words], {
    run: false,
  }).options;
  const texts = new Map<string, readonly string[]>();
  for (const flag of FLAGS) {
    const given = parsed[flag.name.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())];
    if (given === undefined) continue;
    if (flag.takes.kind === "switch") {
      texts.set(flag.name, []);
      continue;
    }
    const list: readonly unknown[] = Array.isArray(given) ? given : [given];
    texts.set(
      flag.name,
      list.map((text) => String(text).slice(1)),
    );
    if (flag.takes.repeatable !== true && list.length > 1)
      problems.push(`--${flag.name}: given ${list.length} times; give it once`);
  }
  return { texts, problems };
}

function checkWords(args: readonly string[]): { words: string[]; problems: string[] } {
  const words: string[] = [];
  const problems: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const word = args[i] ?? "";
    const shown = cleanText(word);
    if (word === "--" || !word.startsWith("-") || word === "-") {
      problems.push(`unexpected argument "${shown}"; hosts are given with --ssh [user@]host[:port]`);
      continue;
    }
    const equals = word.indexOf("=");
    const typed = equals === -1 ? word : word.slice(0, equals);
    const flag = typed.startsWith("--") ? BY_NAME.get(typed.slice(2)) : BY_SHORT.get(typed.slice(1));
    if (flag === undefined) {
      problems.push(unknownFlag(typed));
      // What follows is most likely its value, and would only be told as a second problem.
      if (equals === -1 && args[i + 1]?.startsWith("-") === false) i += 1;
    } else if (flag.takes.kind === "switch") {
      if (equals === -1) words.push(`--${flag.name}`);
      else problems.push(`--${flag.name}: takes no value`);
    } else if (equals !== -1) {
      words.push(`--${flag.name}=:${word.slice(equals + 1)}`);
    } else {
      const next = args[i + 1];
      if (next === undefined || next.startsWith("--"))
        problems.push(`--${flag.name}: needs a value, ${usage(flag)}`);
      else {
        words.push(`--${flag.name}=:${next}`);
        i += 1;
      }
    }
  }
  return { words, problems };
}

function usage(flag: Flag): string {
  return flag.takes.kind === "value" ? `--${flag.name} ${flag.takes.placeholder}` : `--${flag.name}`;
}

function unknownFlag(typed: string): string {
  const name = typed
    .replace(/^-+/, "")
    .replaceAll(/[A-Z_]/g, (c) => (c === "_" ? "-" : `-${c.toLowerCase()}`));
  if (name.startsWith("no-") && BY_NAME.has(name.slice("no-".length))) {
    return `unknown flag ${cleanText(typed)}; flags have no --no- form, see --${name.slice("no-".length)}`;
  }
  const closest = closestName(name, [...BY_NAME.keys()]);
  const advice = closest === undefined ? "see --help" : `did you mean --${closest}?`;
  return `unknown flag ${cleanText(typed)}; ${advice}`;
}
