/** Whether a vendor tool and `ps` mean the same program: a pid may be of another namespace, or used again meanwhile. */

/** What `ps` knows of a pid's name. */
export interface ProcessNames {
  /** The kernel's, at most 15 bytes; null where it was not asked for. */
  readonly comm: string | null;
  /** Program and arguments, as `ps -o args`. */
  readonly command: string | null;
}

/**
 * Tools print the program's path, its first argument, the kernel's name or a part of one of them: so that each is
 * compared without its folder.
 */
export function namesAgree(name: string, host: ProcessNames): boolean {
  const told = new Set([name, firstWord(name)].flatMap((text) => [text, baseName(text)]).filter(isName));
  const known = namesOf(host);
  for (const one of told) if (known.some((other) => isSameName(one, other))) return true;
  return host.command !== null && isBeginning(name, host.command);
}

function namesOf({ comm, command }: ProcessNames): readonly string[] {
  // A script's kernel name is its own, behind its interpreter in the arguments.
  const [program = "", script = ""] = (command ?? "").split(" ");
  const bracketed = /^\[(.+)\]/.exec(command ?? "")?.[1];
  const scriptName = script.startsWith("-") ? "" : baseName(script);
  return [comm ?? "", program, baseName(program.replace(/:$/, "")), scriptName, bracketed ?? ""].filter(
    isName,
  );
}

/** As long as the kernel's names are: what is cut there may be a part of the other. */
const CUT_AT = 15;

function isSameName(one: string, other: string): boolean {
  if (one === other) return true;
  const [short, long] = one.length < other.length ? [one, other] : [other, one];
  if (short.length >= CUT_AT && long.startsWith(short)) return true;
  const cut = /^(\.{3}|…)?(.*?)(\.{3}|…)?$/.exec(one);
  const part = cut?.[2] ?? "";
  if (part.length >= 3 && cut?.[3] !== undefined && other.startsWith(part)) return true;
  if (part.length >= 3 && cut?.[1] !== undefined && other.endsWith(part)) return true;
  return isSameVersion(one, other);
}

/** `python`, `python3` and `python3.11` are links to one program. */
function isSameVersion(one: string, other: string): boolean {
  const [a, b] = [VERSIONED.exec(one), VERSIONED.exec(other)];
  if (a === null || b === null || a[1] !== b[1]) return false;
  const [first = "", second = ""] = [a[2], b[2]];
  return first.startsWith(second) || second.startsWith(first);
}
const VERSIONED = /^([a-z][a-z_-]*?)(\d[\d.]*)?$/i;

/** A whole command line, or the beginning of one up to a blank. */
function isBeginning(name: string, command: string): boolean {
  const words = name.replace(/,(?= )/g, "");
  return words.includes(" ") && (command === words || command.startsWith(`${words} `));
}

function firstWord(text: string): string {
  return text.split(/[\s,]/, 1)[0] ?? "";
}

function baseName(text: string): string {
  return text.replace(/^.*[/\\]/, "");
}

function isName(text: string): boolean {
  return text !== "" && text !== "-";
}
