/** What of a process is in memory, as the kernel adds it up. */
import { readFileSync } from "node:fs";
import { descendantsOf } from "../../test/support/processes.js";

/** In KiB. */
export interface Resident {
  readonly all: number;
  /** Pages of files, such as the program's own: other processes of the program share them, and the kernel may drop them. */
  readonly files: number;
}

/** Throws where the process has ended, or the kernel has no smaps_rollup (Linux 4.14). */
export function residentOf(pid: number): Resident {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  const kib = (field: string): number => {
    const value = new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(text)?.[1];
    if (value === undefined) throw new Error(`/proc/${pid}/smaps_rollup has no ${field}`);
    return Number(value);
  };
  const all = kib("Rss");
  return { all, files: all - kib("Anonymous") };
}

/** The process of a program among what `pid` has started. Throws where there is none. */
export function processNamed(pid: number, program: string): number {
  const isIt = (each: number): boolean => readFileSync(`/proc/${each}/comm`, "utf8").trim() === program;
  const found = descendantsOf(pid).find((entry) => isIt(entry.pid));
  if (found === undefined) throw new Error(`${program} does not run`);
  return found.pid;
}
