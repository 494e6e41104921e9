/** CPU time of a whole process tree, ended children included: by a cgroup of its own, or by /proc where none may be made. */
import { spawn } from "node:child_process";
import { accessSync, constants, mkdirSync, readFileSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { descendantsOf } from "../../test/support/processes.js";

export interface CpuMeter {
  /** Goes before a program's argv, so that all of it is counted. */
  readonly prefix: readonly string[];
  /** Microseconds of user and system time so far. `rootPid` is what the prefixed argv was started as. */
  readUs(rootPid: number): number;
  /** Call it after the tree has ended. */
  remove(): void;
}

const V1 = "/sys/fs/cgroup/cpuacct";
const V2 = "/sys/fs/cgroup";
const ENTER = 'echo $$ > "$0/cgroup.procs" && exec "$@"';
/** /proc counts in 1/100 s. */
const TICK_US = 10_000;

let made = 0;

export function cpuMeter(): CpuMeter {
  made += 1;
  const name = `allsmi-bench-${process.pid}-${made}`;
  for (const [root, read] of [
    [V1, readV1],
    [V2, readV2],
  ] as const) {
    const dir = join(root, name);
    if (!canMake(root, dir)) continue;
    return {
      prefix: ["sh", "-c", ENTER, dir],
      readUs: () => read(dir),
      remove: () => {
        try {
          rmdirSync(dir);
        } catch {
          // Something in it still ends; an empty group is no harm.
        }
      },
    };
  }
  return procMeter();
}

/** How CPU time is counted here, for the report. */
export function meterKind(): string {
  const meter = cpuMeter();
  meter.remove();
  return meter.prefix.length > 0 ? "cgroup" : "/proc, in steps of 10 ms";
}

function canMake(root: string, dir: string): boolean {
  try {
    accessSync(join(root, root === V1 ? "cpuacct.usage" : "cgroup.procs"), constants.R_OK);
    mkdirSync(dir);
    if (root === V2) readV2(dir);
    return true;
  } catch {
    return false;
  }
}

function readV1(dir: string): number {
  return Number(readFileSync(join(dir, "cpuacct.usage"), "utf8")) / 1000;
}

function readV2(dir: string): number {
  const usage = /^usage_usec (\d+)$/m.exec(readFileSync(join(dir, "cpu.stat"), "utf8"))?.[1];
  if (usage === undefined) throw new Error(`${dir}/cpu.stat has no usage_usec`);
  return Number(usage);
}

/** What ended children of a dead root used is lost here: read it while the root lives. */
function procMeter(): CpuMeter {
  let last = 0;
  return {
    prefix: [],
    readUs: (rootPid) => {
      const pids = [rootPid, ...descendantsOf(rootPid).map((entry) => entry.pid)];
      const now = pids.reduce((sum, pid) => sum + ticksOf(pid), 0) * TICK_US;
      last = Math.max(last, now);
      return last;
    },
    remove: () => undefined,
  };
}

function ticksOf(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // utime, stime, cutime, cstime of proc(5).
    return [11, 12, 13, 14].reduce((sum, at) => sum + Number(fields[at] ?? 0), 0);
  } catch {
    return 0;
  }
}

/** A program that runs and is counted. */
export interface Metered {
  readonly pid: number;
  readonly stdout: NodeJS.ReadableStream;
  cpuUs(): number;
  stderr(): string;
  kill(): void;
  /** Settles with the exit code once all of it has ended; CPU time and peak memory are final then. */
  readonly ended: Promise<{
    readonly code: number | null;
    readonly cpuUs: number;
    readonly wallMs: number;
    readonly peakKib: number;
  }>;
}

/** Starts a program under a meter of its own. `stdin` is given whole. */
export function startMetered(
  argv: readonly string[],
  options: { readonly stdin?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Metered {
  const meter = cpuMeter();
  const [program, ...args] = [...meter.prefix, ...argv];
  if (program === undefined) throw new Error("no program to start");
  const begun = performance.now();
  const child = spawn(program, args, {
    stdio: ["pipe", "pipe", "pipe"],
    // Facts that one run keeps would make the next one cheaper.
    env: {
      ...{ PATH: process.env["PATH"] ?? "", HOME: "/nonexistent", XDG_CACHE_HOME: "/dev/null" },
      ...options.env,
    },
  });
  const pid = child.pid;
  if (pid === undefined) throw new Error(`${argv.join(" ")} did not start`);
  let stderr = "";
  let peakKib = 0;
  const watch = setInterval(() => {
    peakKib = Math.max(peakKib, memoryOf(pid).peakKib);
    if (meter.prefix.length === 0) meter.readUs(pid);
  }, 50);
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr = (stderr + text).slice(-8000)));
  child.stdin.on("error", () => undefined);
  child.stdin.end(options.stdin ?? "");
  const ended = new Promise<Awaited<Metered["ended"]>>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      clearInterval(watch);
      const cpuUs = meter.readUs(pid);
      meter.remove();
      resolve({ code, cpuUs, wallMs: performance.now() - begun, peakKib });
    });
  });
  return {
    pid,
    stdout: child.stdout,
    cpuUs: () => meter.readUs(pid),
    stderr: () => stderr,
    kill: () => void child.kill("SIGTERM"),
    ended,
  };
}

/** Resident memory now and at its highest; 0 for a process that has gone. */
export function memoryOf(pid: number): { readonly rssKib: number; readonly peakKib: number } {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const kib = (field: string): number =>
      Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(status)?.[1] ?? 0);
    return { rssKib: kib("VmRSS"), peakKib: kib("VmHWM") };
  } catch {
    return { rssKib: 0, peakKib: 0 };
  }
}
