/**
 * The command that reads a Linux host's CPU counters, memory and load in each tick: the cheapest that is known to read all
 * of it on this host.
 */
import type { Section } from "../contract/record.js";
import type { Part, PartOutputs } from "../shims/kit/shim.js";
import { CPU_SENSORS_COMMAND } from "./cpu-sensors.js";
import { ONLINE_CPUS, WHERE_FEW_CPUS, WHERE_KERNEL_PROC } from "./linux-facts-part.js";
import type { LinuxFacts } from "./linux-facts.js";
import { createCpuCounters } from "./proc-stat.js";

export const PROC_ID = "host.proc";

/** The CPU lines of /proc/stat, as long as the kernel's list of online CPUs stays this one. */
interface StatLines {
  readonly online: string;
  readonly count: number;
  readonly last: string;
}

/** `bounded`: with a deadline. Only a FUSE server's /proc needs one: the kernel's own does not hang. */
type ReadMethod =
  | { readonly kind: "by facts" }
  | { readonly kind: "bounded grep" }
  | { readonly kind: "grep" }
  | { readonly kind: "head"; readonly stat: StatLines }
  | { readonly kind: "read"; readonly stat: StatLines | null };

/**
 * Up to about sixteen CPUs the shell's own `read` costs less than a process (dash makes a system call for each byte). The
 * limit is higher, since `head` reads as many lines of /proc/meminfo as /proc/stat has CPU lines, and SwapFree, the last
 * one needed, must be among them. WHERE_FEW_CPUS is the same limit in shell.
 */
const MAX_CPUS_BY_SHELL = 22;

// One process a tick. The interrupt counters, most of /proc/stat on a large host, are not sent.
const GREP =
  `grep -s -h -E "^(cpu|Mem(Total|Free|Available):|Buffers:|Cached:|Swap(Total|Free):)|^[0-9.]+ [0-9.]+ [0-9.]+ [0-9]+/" ` +
  `/proc/stat /proc/meminfo /proc/loadavg`;

/** The first sample's part: only the facts are known, which the same script has just printed. */
export function probeProcPart(include: ReadonlySet<Section>): Part {
  return procPart(include, { kind: "by facts" });
}

/** A later tick's part. `probe`: the outputs of the first sample. */
export function tickProcPart(include: ReadonlySet<Section>, facts: LinuxFacts, probe: PartOutputs): Part {
  return procPart(include, readMethod(facts, probe));
}

function procPart(include: ReadonlySet<Section>, method: ReadMethod): Part {
  const sensors = include.has("cpu") ? CPU_SENSORS_COMMAND : ":";
  return { id: PROC_ID, kind: "buffered-shell", command: `${sensors}; w "@proc$n"; ${commandFor(method)}` };
}

/** A program comes last: its exit status is the part's. `$hk` is 1 while the same CPUs are online. */
function commandFor(method: ReadMethod): string {
  if (method.kind === "bounded grep") return `f; b ${GREP}`;
  if (method.kind === "by facts")
    return (
      `case "$hf" in ${WHERE_KERNEL_PROC} *) hk=;; esac; case $hk in ` +
      `1) case $hq in ${WHERE_FEW_CPUS}) ${readByShell(READ_KNOWN_STAT)};; *) f; ${GREP};; esac;; *) f; b ${GREP};; esac`
    );
  if (method.kind === "grep") return `f; ${GREP}`;
  if (method.stat === null) return readByShell(READ_STAT);
  const { online, count, last } = method.stat;
  const same = `hl=; { read -r hl; } <${ONLINE_CPUS} 2>/dev/null; case "$hl" in ${online}) hk=1;; *) hk=;; esac`;
  const lines = `l ${count} /proc/stat "${last} "`;
  if (method.kind === "read")
    return `${same}; ${readByShell(`case $hk in 1) ${lines};; *) ${READ_STAT};; esac`)}`;
  const head = `head -n ${count} /proc/stat /proc/meminfo /proc/loadavg`;
  return `${same}; case $hk.$M in 1.1) ${readByShell(lines)};; 1.) f; ${head} 2>/dev/null || ${GREP};; *) f; ${GREP};; esac`;
}

const READ_STAT = `while read -r hl; do case "$hl" in cpu*) w "$hl$n";; *) break;; esac; done </proc/stat`;

/**
 * The same where the facts before it, whose state `$kk` begins with the number of CPUs and the list of those that run, show
 * that all of them run: then the last line is known.
 */
const READ_KNOWN_STAT = `case $kk in $hq/0-$((hq-1))/*|1/0/*) l $((hq+1)) /proc/stat "cpu$((hq-1)) ";; *) ${READ_STAT};; esac`;

/**
 * Without any program. In /proc/stat the CPU lines are followed by the interrupt counters, a line longer than all of them:
 * it is not read where the last CPU is known. Without swap, when /proc/swaps has only its header, /proc/meminfo need not
 * be read as far as its lines about swap.
 */
function readByShell(stat: string): string {
  return [
    stat,
    `hk=; { read -r hl; case "$hl" in Filename*) read -r hl || hk=1;; esac; } </proc/swaps 2>/dev/null`,
    `case $hk in 1) l 5 /proc/meminfo Cached:; w "SwapTotal: 0 kB\${n}SwapFree: 0 kB$n";; *) l 25 /proc/meminfo SwapFree:;; esac`,
    `read -r hl </proc/loadavg; w "$hl$n"`,
  ].join("; ");
}

function readMethod({ hasKernelProc, online }: LinuxFacts, probe: PartOutputs): ReadMethod {
  if (hasKernelProc !== true) return { kind: "bounded grep" };
  const counters = createCpuCounters();
  counters.read(probe.get(PROC_ID)?.stdout.split("\n") ?? []);
  const { cpus, hasTotal } = counters;
  // Where the two lists differ, one of them does not come from the kernel.
  const agree = hasTotal && online !== null && online.cpus.join() === cpus.join();
  const stat = agree ? { online: online.text, count: cpus.length + 1, last: `cpu${cpus.at(-1)}` } : null;
  if (cpus.length > 0 && cpus.length <= MAX_CPUS_BY_SHELL) return { kind: "read", stat };
  return stat === null ? { kind: "grep" } : { kind: "head", stat };
}
