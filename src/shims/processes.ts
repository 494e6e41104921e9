/** Processes on accelerators: the vendor tool says which GPU and how much of it, `ps` says the rest. */
import type { Process } from "../record.js";

/**
 * The tool's rows with what `ps` knows of the same pid. The tool's own values win, what `ps` lacks stays null: a pid
 * may be of another namespace (a container's tool) or gone between the two commands.
 */
export function joinProcesses(
  rows: readonly Process[],
  ps: ReadonlyMap<number, Partial<Process>>,
): readonly Process[] {
  return rows.map((row) => {
    const known = ps.get(row.pid);
    if (known === undefined) return row;
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
