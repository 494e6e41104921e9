/** Processes on accelerators: the vendor tool reports which GPU and how much of it, `ps` the rest. */
import type { Process } from "../contract/record.js";

/** What `ps` prints of a process; its kernel name is only compared, never recorded. */
export type KnownProcess = Partial<Process> & { readonly comm?: string | null };

/**
 * The tool's rows with what `ps` prints for the same pid, where both mean the same program: a pid may be of another
 * namespace (a container's tool, a process that the tool cannot see), or be reused between the two commands. The tool's
 * own values win, what `ps` lacks stays null. `areOurPids`: the tool looked its pids up among this host's own processes,
 * so that they are joined without a name too.
 */
export function joinProcesses(
  rows: readonly Process[],
  ps: ReadonlyMap<number, KnownProcess>,
  areOurPids = false,
): readonly Process[] {
  return rows.map((row) => {
    const found = ps.get(row.pid);
    if (found === undefined) return row;
    const { comm = null, ...known } = found;
    const names = { comm, command: known.command ?? null };
    const isSame = row.process_name === null ? areOurPids : namesAgree(row.process_name, names);
    if (!isSame) return row;
    const reported = Object.entries(row).filter(([, value]) => value !== null);
    return { ...row, ...known, ...Object.fromEntries(reported) };
  });
}

const OWNER_FIELDS = [
  ...["container_id", "pod_uid", "pod_name", "pod_namespace"],
  ...["slurm_job_id", "slurm_step", "systemd_unit"],
] as const satisfies readonly (keyof Process)[];

/**
 * Without what may hold secrets or names: command lines, users, and containers, pods, jobs and units. A program's name stays without its path, which may
 * name a user, and without the arguments that nvidia-smi shows for some programs.
 */
export function redact(processes: readonly Process[]): readonly Process[] {
  return processes.map((process) => ({
    ...process,
    command: null,
    user: null,
    process_name: process.process_name === null ? null : programName(process.process_name),
    ...Object.fromEntries(OWNER_FIELDS.filter((field) => field in process).map((field) => [field, null])),
  }));
}

/** Null where arguments cannot be distinguished from a path with blanks. */
function programName(name: string): string | null {
  if (/^[a-z]:|\\/i.test(name)) return name.replace(/^.*[/\\]/, "");
  const [program = "", ...rest] = name.split(/[\s,]/);
  if (program === "" || rest.some((word) => word.includes("/"))) return null;
  return program.replace(/^.*\//, "");
}

// ---- names

/** The names that `ps` prints for a pid. */
interface ProcessNames {
  /** The kernel's, at most 15 bytes; null where it was not asked for. */
  readonly comm: string | null;
  /** Program and arguments, as `ps -o args`. */
  readonly command: string | null;
}

/**
 * Whether a vendor tool's name for a process and those of `ps` mean the same program. Tools print the program's path, its
 * first argument, the kernel's name or a part of one of them: each is compared without its folder.
 */
export function namesAgree(name: string, host: ProcessNames): boolean {
  const printed = new Set([name, firstWord(name)].flatMap((text) => [text, baseName(text)]).filter(isName));
  const known = namesOf(host);
  for (const one of printed) if (known.some((other) => isSameName(one, other))) return true;
  return host.command !== null && isBeginning(name, host.command);
}

function namesOf({ comm, command }: ProcessNames): readonly string[] {
  // A script has its own kernel name; in the arguments it comes after its interpreter.
  const [program = "", script = ""] = (command ?? "").split(" ");
  const bracketed = /^\[(.+)\]/.exec(command ?? "")?.[1];
  const scriptName = script.startsWith("-") ? "" : baseName(script);
  return [comm ?? "", program, baseName(program.replace(/:$/, "")), scriptName, bracketed ?? ""].filter(
    isName,
  );
}

/** The length at which the kernel cuts names: a name of this length may be the start of the other. */
const KERNEL_NAME_CHARS = 15;

function isSameName(one: string, other: string): boolean {
  if (one === other) return true;
  const [short, long] = one.length < other.length ? [one, other] : [other, one];
  if (short.length >= KERNEL_NAME_CHARS && long.startsWith(short)) return true;
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
  const plain = name.replace(/,(?= )/g, "");
  return plain.includes(" ") && (command === plain || command.startsWith(`${plain} `));
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
