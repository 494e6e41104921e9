/** Lists and ends the processes that a test started, only by pid. */
import { existsSync, readFileSync, readdirSync } from "node:fs";

export interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  /** `R`, `S`, `Z`, ... of /proc/PID/stat. */
  readonly state: string;
  readonly command: string;
  /** User and system time in clock ticks (1/100 s), of the process itself. */
  readonly cpuTicks: number;
}

/** Every process below `root`, parents first; zombies are left out. Linux only. */
export function descendantsOf(root: number): ProcessEntry[] {
  const childrenOf = LISTS_CHILDREN ? listedChildren : scannedChildren();
  const seen = new Set([root]);
  let entries: ProcessEntry[];
  let state = "";
  let before: string;
  // What ends leaves its children to another, which may have been looked at already: until nothing comes or goes in a round.
  do {
    before = state;
    for (const pid of seen) for (const child of childrenOf(pid)) seen.add(child);
    entries = [...seen].flatMap((pid) => {
      const entry = pid === root ? null : readProcess(pid);
      return entry === null || entry.state === "Z" ? [] : [entry];
    });
    state = `${seen.size} ${entries.map(({ pid }) => pid).join()}`;
  } while (state !== before);
  return entries;
}

type ChildrenOf = (pid: number) => readonly number[];

/** Kernels with CONFIG_PROC_CHILDREN, which nearly all are: a look costs the same however much else the machine runs. */
const LISTS_CHILDREN = existsSync(`/proc/${process.pid}/task/${process.pid}/children`);

/** Each thread has the children that it has started. */
const listedChildren: ChildrenOf = (pid) =>
  attempt(() => readdirSync(`/proc/${pid}/task`)).flatMap((thread) =>
    attempt(() => readFileSync(`/proc/${pid}/task/${thread}/children`, "latin1").split(" "))
      .filter((child) => child !== "")
      .map(Number),
  );

/** Nothing for a process or thread that has ended. */
function attempt(read: () => readonly string[]): readonly string[] {
  try {
    return read();
  } catch {
    return [];
  }
}

function scannedChildren(): ChildrenOf {
  const children = new Map<number, number[]>();
  for (const name of readdirSync("/proc")) {
    const entry = /^\d+$/.test(name) ? readProcess(Number(name)) : null;
    if (entry === null) continue;
    const siblings = children.get(entry.parent);
    if (siblings === undefined) children.set(entry.parent, [entry.pid]);
    else siblings.push(entry.pid);
  }
  return (pid) => children.get(pid) ?? [];
}

function readProcess(pid: number): ProcessEntry | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
    return {
      pid,
      parent: Number(fields[1]),
      state: fields[0] ?? "",
      command,
      cpuTicks: Number(fields[11]) + Number(fields[12]),
    };
  } catch {
    return null;
  }
}

/** Sends a signal; a process that has gone is no error. */
export function signalPid(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Gone already.
  }
}

/**
 * Asks `ready` until it holds, at first every 10 ms, later every 50: a look may read all of /proc. Throws with `what` after
 * the limit.
 */
export async function waitFor(what: string, ready: () => boolean, limitMs = 10_000): Promise<void> {
  const begun = Date.now();
  while (!ready()) {
    const waitedMs = Date.now() - begun;
    if (waitedMs > limitMs) throw new Error(`${what}: not within ${limitMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, Math.min(50, 10 + waitedMs / 10)));
  }
}
