/**
 * argv to flags with their texts, by cac. Three habits of cac 7.1 are kept away from it:
 * it turns values into numbers (`007`, `1e3`; cacjs/cac#162), so each value is passed behind a colon;
 * it reads a value that starts with `-` as a flag, so each value is joined to its flag by `=`;
 * it reads `--sshKey` as `--ssh-key`, `--no-x` as a flag x, and `-n5` as two switches n and 5, so names and letters are
 * read before, and letters are passed on as names.
 */
import { closestName } from "../lib/closest-name.js";
import { cleanText } from "../lib/text.js";
import { FLAGS, type Flag } from "./flags.js";
import { nameOfLetter } from "./short-flags.js";

export interface GivenFlags {
  /** By flag name, in the order given; a switch has an empty text each time. */
  readonly texts: ReadonlyMap<string, readonly string[]>;
  /** Arguments that are no flags: hosts. */
  readonly operands: readonly string[];
  readonly problems: readonly string[];
}

const BY_NAME = new Map(FLAGS.map((flag) => [flag.name, flag]));
/** What ssh's `-o` takes: `StrictHostKeyChecking=no`. */
const SSH_OPTION = /^[A-Z]\w+[= ]/;

/** One flag as typed; `inline` is the text that was joined to it, null where there is none. */
interface TypedFlag {
  readonly typed: string;
  readonly flag: Flag | undefined;
  readonly inline: string | null;
}

/** `args` without the program's name. Never rejects, whatever was typed. */
export async function readFlags(args: readonly string[]): Promise<GivenFlags> {
  const { encoded, operands, problems } = encode(args);
  const { cac } = await import("cac");
  const cli = cac("allsmi-ssh");
  // `type: []` makes a list, however often the flag is given.
  for (const { name, about } of FLAGS) cli.option(`--${nameForCac(name)} <text>`, about, { type: [] });
  const options: Readonly<Record<string, unknown>> = cli.parse(["", "", ...encoded], { run: false }).options;
  const texts = new Map<string, readonly string[]>();
  for (const [index, flag] of FLAGS.entries()) {
    const given = options[cli.globalCommand.options[index]?.name ?? ""];
    if (!Array.isArray(given)) continue;
    texts.set(
      flag.name,
      given.map((text) => String(text).slice(1)),
    );
  }
  return { texts, operands, problems };
}

/** Every known flag as `--name=:text`, and hosts; what is wrong is a problem instead. After `--` all are hosts. */
function encode(args: readonly string[]): {
  readonly encoded: readonly string[];
  readonly operands: readonly string[];
  readonly problems: string[];
} {
  const encoded: string[] = [];
  const operands: string[] = [];
  const problems: string[] = [];
  // Taken from the end: to shift a list of 100,000 hosts moves it each time.
  const rest = [...args].reverse();
  for (let arg = rest.pop(); arg !== undefined; arg = rest.pop()) {
    if (arg === "--") {
      operands.push(...rest.reverse());
      break;
    }
    if (arg === "-") {
      problems.push('unexpected argument "-"; hosts from standard input are --ssh-hostfile -');
      continue;
    }
    if (!arg.startsWith("-")) {
      operands.push(arg);
      continue;
    }
    for (const { typed, flag, inline } of arg.startsWith("--") ? [readLong(arg)] : readLetters(arg)) {
      if (flag === undefined) {
        problems.push(unknownFlag(typed));
        // The next argument is most likely its value, and not a second problem.
        if (inline === null && rest.at(-1)?.startsWith("-") === false) rest.pop();
      } else if (flag.takes.kind === "switch") {
        if (inline === null) encoded.push(`--${nameForCac(flag.name)}=:`);
        else problems.push(`--${flag.name}: takes no value`);
      } else {
        const text = inline ?? (rest.at(-1)?.startsWith("--") === true ? undefined : rest.pop());
        if (text === undefined) problems.push(`--${flag.name}: needs a value; write ${usage(flag)}`);
        else if (typed === "-o" && SSH_OPTION.test(text)) problems.push(notAnSshOption(text));
        else encoded.push(`--${nameForCac(flag.name)}=:${text}`);
      }
    }
  }
  return { encoded, operands, problems };
}

/** cac takes `--no-cache` for the opposite of a flag `--cache`, which is on by itself. */
function nameForCac(name: string): string {
  return name.replace(/^no-/, "without-");
}

/** `--name` or `--name=value`. */
function readLong(arg: string): TypedFlag {
  const [typed = "", ...parts] = arg.split("=");
  return {
    typed,
    flag: BY_NAME.get(typed.slice("--".length)),
    inline: parts.length === 0 ? null : parts.join("="),
  };
}

/**
 * `-q`, several in one (`-qv`), and as the last one a letter that takes a value: `-n5`, `-n=5`, or `-n 5` with the next
 * argument. `-once` is a mistyped `--once`, and not a file for `-o`.
 */
function readLetters(arg: string): readonly TypedFlag[] {
  const [word = ""] = arg.split("=");
  const mistyped = { typed: word, flag: undefined, inline: arg === word ? null : "" };
  if (BY_NAME.has(inKebab(word))) return [mistyped];
  const found: TypedFlag[] = [];
  for (let at = 1; at < arg.length; at++) {
    const letter = String.fromCodePoint(arg.codePointAt(at) ?? 0);
    const flag = BY_NAME.get(nameOfLetter(letter) ?? "");
    const typed = `-${letter}`;
    // One letter that is wrong makes all of them doubtful.
    if (flag === undefined) return [found.length === 0 ? mistyped : { ...mistyped, typed, inline: "" }];
    const after = arg.slice(at + 1);
    const isLast = flag.takes.kind === "value" || after === "" || after.startsWith("=");
    found.push({ typed, flag, inline: !isLast || after === "" ? null : after.replace(/^=/, "") });
    if (isLast) break;
  }
  return found;
}

function notAnSshOption(text: string): string {
  return `-o is --output FILE, and takes no option of ssh; write ${cleanText(text)} into a file for --ssh-config, or --output=${cleanText(text)} for a file of that name`;
}

function usage(flag: Flag): string {
  return flag.takes.kind === "value" ? `--${flag.name} ${flag.takes.placeholder}` : `--${flag.name}`;
}

/** `--sshKey`, `--ssh_key` and `-ssh-key` as `ssh-key`. */
function inKebab(typed: string): string {
  return typed.replace(/^-+/, "").replaceAll(/[A-Z_]/g, (c) => (c === "_" ? "-" : `-${c.toLowerCase()}`));
}

function unknownFlag(typed: string): string {
  const name = inKebab(typed);
  if (name.startsWith("no-") && BY_NAME.has(name.slice("no-".length))) {
    return `unknown flag ${cleanText(typed)}; flags have no --no- form, see --${name.slice("no-".length)}`;
  }
  const closest = closestName(name, [...BY_NAME.keys()]);
  const advice = closest === undefined ? "" : `; did you mean --${closest}?`;
  // That --help lists the flags is printed after every wrong use.
  return `unknown flag ${cleanText(typed)}${advice}`;
}

/** Other programs have commands of these names, and here they are hosts. */
export function operandWarnings(operands: readonly string[]): readonly string[] {
  const [only, ...others] = operands;
  if (others.length > 0 || (only !== "help" && only !== "version")) return [];
  return [`${only} is watched as a host; --${only} prints the ${only}`];
}
