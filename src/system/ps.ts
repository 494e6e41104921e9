/** Processes as `ps` lists them, to be joined with a vendor tool's list of the processes that use a GPU. */
import type { Process } from "../contract/record.js";
import { cleanText } from "../lib/text.js";
import type { Part, PartOutputs } from "../shims/kit/shim.js";
import { CGROUPS_MARK, NO_OWNER, OWNERS_COMMAND, parseOwners, type ProcessOwner } from "./process-owners.js";
import { kibibytes, wholeNumber } from "./numbers.js";

const PART_ID = "host.ps";

/**
 * The host's clock, then all processes except kernel threads (thousands on a large host). procps' options first; busybox
 * has fewer columns, which depend on its build, and rejects the others at once. The parser finds columns by the header, so
 * that each may print those it has. Lines end at 512 columns. The control groups follow.
 */
export const LINUX_PS: Part = {
  id: PART_ID,
  kind: "shell",
  command:
    `date +%s; (set -- -e; hn=; if [ -r /proc/2/comm ]; then read -r hn </proc/2/comm; fi; ` +
    `case $hn in kthreadd) set -- -N --ppid 2 -p 2;; esac; ` +
    `b ps "$@" --cols 512 -o pid,ppid,nlwp,ni,pri,pcpu,pmem,rss,vsz,etime,time,stat,user:32,comm:15,args 2>/dev/null; hs=$?; ` +
    `case $hs in 0|124|137|143) exit $hs;; esac; b ps -o pid,ppid,nice,rss,vsz,etime,time,stat,user,comm,args 2>/dev/null; hs=$?; ` +
    `case $hs in 0|124|137|143) exit $hs;; esac; b ps -o pid,ppid,nice,rss,vsz,stat,user,comm,args); hs=$?; ` +
    `case $hs in 0) ${OWNERS_COMMAND};; *) (exit $hs);; esac`,
};

/** BSD's columns, as in macOS's ps(1). */
export const DARWIN_PS: Part = {
  id: PART_ID,
  kind: "shell",
  command: `date +%s; b ps -axo pid,ppid,ni,pri,pcpu,pmem,rss,vsz,etime,time,stat,user,command`,
};

export type PsProcess = Pick<
  Process,
  | "pid"
  | "ppid"
  | "threads"
  | "nice_value"
  | "priority"
  | "cpu_percent"
  | "memory_percent"
  | "memory_rss"
  | "memory_vms"
  | "cpu_time"
  | "start_time"
  | "state"
  | "user"
  | "command"
> &
  Partial<ProcessOwner> & {
    /** The kernel's name, at most 15 characters; only where the columns have it. */
    readonly comm?: string | null;
  };

export interface PsReader {
  /** By pid; empty when ps printed no readable table. Never throws. */
  read(outputs: PartOutputs): ReadonlyMap<number, PsProcess>;
}

/**
 * A start time is the host's clock minus the elapsed whole seconds, which is right within a second. A reader keeps the
 * first one that it computed for a process, so that it does not change between ticks.
 */
export function createPsReader(): PsReader {
  let known = new Map<number, number>();
  return {
    read(outputs) {
      const stdout = outputs.get(PART_ID)?.stdout ?? "";
      const started = new Map<number, number>();
      const startOf = (pid: number, computed: number): number => {
        const earlier = known.get(pid);
        const start = earlier !== undefined && Math.abs(earlier - computed) <= 2 ? earlier : computed;
        started.set(pid, start);
        return start;
      };
      const [table = "", groups] = stdout.split(`\n${CGROUPS_MARK}\n`, 2);
      const processes = parsePs(table, startOf);
      known = started;
      return groups === undefined ? processes : withOwners(processes, groups);
    },
  };
}

function withOwners(
  processes: ReadonlyMap<number, PsProcess>,
  groups: string,
): ReadonlyMap<number, PsProcess> {
  const owners = parseOwners(groups);
  return new Map(
    [...processes].map(([pid, process]) => [pid, { ...process, ...(owners.get(pid) ?? NO_OWNER) }]),
  );
}

const COLUMN_NAMES: ReadonlyMap<string, string> = new Map([
  ["THCNT", "NLWP"],
  ["NICE", "NI"],
  ["VIRT", "VSZ"],
  ["CMD", "COMMAND"],
  ["COMM", "COMMAND"],
  ["ARGS", "COMMAND"],
]);

/** By pid. `startOf`: maps a pid and its computed start to the start to report, both in seconds since 1970. */
export function parsePs(
  stdout: string,
  startOf: (pid: number, computed: number) => number = (_, computed) => computed,
): ReadonlyMap<number, PsProcess> {
  const processes = new Map<number, PsProcess>();
  const [clock = "", header = "", ...rows] = stdout.split("\n");
  const now = wholeNumber(clock.trim());
  const columns = header
    .trim()
    .split(/\s+/)
    .map((name) => COLUMN_NAMES.get(name) ?? name);
  // The kernel's name may have blanks: its column, before the last, has a fixed width.
  const width = KERNEL_NAME.exec(header)?.[1]?.length ?? 0;
  const names = width === 0 ? columns : columns.slice(0, -1);
  const commandAt = names.length - 1;
  if (names[commandAt] !== "COMMAND") return processes;
  for (const row of rows) {
    const cells = splitRow(row, commandAt);
    // A row that was cut off may have only a part of its pid.
    if (cells.length < names.length) continue;
    const cell = (name: string): string | undefined =>
      names.includes(name) ? cells[names.indexOf(name)] : undefined;
    const pid = wholeNumber(cell("PID"));
    if (pid === null || pid === 0) continue;
    const { comm, command } = namesIn(cell("COMMAND") ?? "", width);
    const elapsed = seconds(cell("ELAPSED"));
    const start = now === null || elapsed === null || elapsed > now ? null : startOf(pid, now - elapsed);
    processes.set(pid, {
      pid,
      ppid: wholeNumber(cell("PPID")),
      threads: wholeNumber(cell("NLWP")),
      nice_value: signed(cell("NI")),
      priority: signed(cell("PRI")),
      cpu_percent: decimal(cell("%CPU")),
      memory_percent: percentage(cell("%MEM")),
      memory_rss: size(cell("RSS")),
      memory_vms: size(cell("VSZ")),
      cpu_time: seconds(cell("TIME")),
      start_time: start === null ? null : isoTime(start),
      state: text(cell("STAT")),
      user: text(cell("USER")),
      command: text(command),
      ...(width === 0 ? {} : { comm: text(comm) }),
    });
  }
  return processes;
}

/** The two name columns at the header's end; the group is the first with its padding. */
const KERNEL_NAME = /((?:COMMAND|CMD|COMM) +)(?:COMMAND|CMD|ARGS)\s*$/;

/** The kernel's name in a column of `width`, and the command after it. A dead process' name may be longer. */
function namesIn(cell: string, width: number): { readonly comm?: string; readonly command: string } {
  if (width === 0) return { command: cell };
  const dead = /^(.{1,15}? <defunct>) +(?=\S)/.exec(cell)?.[0];
  const at = dead !== undefined && dead.length > width ? dead.length : width;
  return {
    comm: cell
      .slice(0, at)
      .replace(/ <defunct>/, "")
      .trim(),
    command: cell.slice(at),
  };
}

/** The first `count` fields, then the rest of the line unchanged. */
function splitRow(row: string, count: number): readonly string[] {
  const cells: string[] = [];
  let rest = row.trimStart();
  while (cells.length < count) {
    const end = /\s+/.exec(rest);
    if (end === null) break;
    cells.push(rest.slice(0, end.index));
    rest = rest.slice(end.index + end[0].length);
  }
  cells.push(rest.trimEnd());
  return cells;
}

function text(cell: string | undefined): string | null {
  return cell === undefined || cell === "" || cell === "-" ? null : cleanText(cell);
}

/** Niceness and priority may be below 0. */
function signed(cell: string | undefined): number | null {
  return cell !== undefined && /^-?\d{1,5}$/.test(cell) ? Number(cell) : null;
}

/** Percent of one CPU: above 100 with several threads. */
function decimal(cell: string | undefined): number | null {
  return cell !== undefined && /^\d{1,7}(?:\.\d{1,3})?$/.test(cell) ? Number(cell) : null;
}

function percentage(cell: string | undefined): number | null {
  const value = decimal(cell);
  return value !== null && value <= 100 ? value : null;
}

const BINARY = ["", "m", "g", "t"];

/** Bytes, from KiB; busybox prints more than five digits as `123m` or `1.5g`. */
function size(cell: string | undefined): number | null {
  const match = /^(\d{1,15})(?:\.(\d))?([mgt])$/.exec(cell ?? "");
  if (match === null) return kibibytes(cell);
  const bytes = Number(`${match[1] ?? ""}.${match[2] ?? "0"}`) * 1024 ** (BINARY.indexOf(match[3] ?? "") + 1);
  return Number.isSafeInteger(Math.round(bytes)) ? Math.round(bytes) : null;
}

/** `[[DD-]HH:]MM:SS` (POSIX), `MM:SS.cc` (macOS), busybox's `1h23` and `2d03`: whole seconds. */
function seconds(cell: string | undefined): number | null {
  if (cell === undefined) return null;
  const posix = /^(?:(?:(\d{1,6})-)?(\d{1,3}):)?(\d{1,6}):(\d{2})(?:\.\d{1,2})?$/.exec(cell);
  if (posix !== null) {
    const [days, hours, minutes, secs] = [posix[1], posix[2], posix[3], posix[4]].map((part) =>
      Number(part ?? 0),
    );
    return (days ?? 0) * 86_400 + (hours ?? 0) * 3600 + (minutes ?? 0) * 60 + (secs ?? 0);
  }
  const short = /^(\d{1,6})([hd])(\d{1,2})$/.exec(cell);
  if (short === null) return null;
  const [big, small] = [Number(short[1]), Number(short[3])];
  return short[2] === "h" ? big * 3600 + small * 60 : big * 86_400 + small * 3600;
}

function isoTime(secs: number): string | null {
  // The last second that a Date can hold and print with a four-digit year.
  return secs > 253_402_300_799 ? null : new Date(secs * 1000).toISOString();
}
