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

/** Without what may hold secrets or names: command lines and users. A program's name stays, its path does not. */
export function redact(processes: readonly Process[]): readonly Process[] {
  return processes.map((process) => ({
    ...process,
    command: null,
    user: null,
    process_name: process.process_name?.replace(/^.*[/\\]/, "") ?? null,
  }));
}
