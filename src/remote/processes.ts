/** Processes on accelerators: the vendor tool says which GPU and how much of it, `ps` says the rest. */
import type { Process } from "../contract/record.js";
import { namesAgree } from "./process-names.js";

/** What `ps` knows of a process; its kernel name is for comparing alone. */
export type KnownProcess = Partial<Process> & { readonly comm?: string | null };

/**
 * The tool's rows with what `ps` knows of the same pid, where both mean the same program: a pid may be of another
 * namespace (a container's tool, a process that the tool cannot see), or used again between the two commands. The tool's
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
    const told = Object.entries(row).filter(([, value]) => value !== null);
    return { ...row, ...known, ...Object.fromEntries(told) };
  });
}

/**
 * Without what may hold secrets or names: command lines and users. A program's name stays without its path, which may
 * name a user, and without the arguments that nvidia-smi shows for some programs.
 */
export function redact(processes: readonly Process[]): readonly Process[] {
  return processes.map((process) => ({
    ...process,
    command: null,
    user: null,
    process_name: process.process_name === null ? null : programName(process.process_name),
  }));
}

/** Null where arguments cannot be told from a path with blanks. */
function programName(name: string): string | null {
  if (/^[a-z]:|\\/i.test(name)) return name.replace(/^.*[/\\]/, "");
  const [program = "", ...rest] = name.split(/[\s,]/);
  if (program === "" || rest.some((word) => word.includes("/"))) return null;
  return program.replace(/^.*\//, "");
}
