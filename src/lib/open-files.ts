/** How many files and sockets this process may have open at a time. */
import { readFileSync } from "node:fs";

/**
 * The limit of `ulimit -n` as it is now (Node.js raises the soft one to the hard one at its start). Null where it is not
 * known: elsewhere than on Linux (proc(5), /proc/PID/limits), or where there is none.
 */
export function openFilesLimit(): number | null {
  try {
    const limits = readFileSync("/proc/self/limits", "utf8");
    const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
    return soft === undefined ? null : Number(soft);
  } catch {
    return null;
  }
}
