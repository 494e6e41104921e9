/**
 * How a Linux host is asked in each tick for its CPUs' counters, its memory and its load: in the cheapest way that is known
 * to tell all of it there.
 */
import type { Section } from "../contract/record.js";
import type { Part, PartOutputs } from "../shims/kit/shim.js";
import { CPU_SENSORS_COMMAND } from "./cpu-sensors.js";
import { ONLINE_CPUS, WHERE_KERNEL_PROC, type LinuxFacts } from "./linux-facts.js";
import { createCpuCounters } from "./proc-stat.js";

export const PROC_ID = "host.proc";

/** The lines that /proc/stat has of CPUs, as long as the kernel's list of those that run is this one. */
interface StatLines {
  readonly online: string;
  readonly count: number;
  readonly last: string;
}

/** `bounded`: the kernel's own /proc does not hang, so that nothing need bound it; a FUSE server's may. */
type ProcWay =
  | { readonly kind: "by the facts" }
  | { readonly kind: "bounded grep" }
  | { readonly kind: "grep" }
  | { readonly kind: "head"; readonly stat: StatLines }
  | { readonly kind: "read"; readonly stat: StatLines | null };

/**
 * Up to about sixteen CPUs the shell's own `read` costs less than a process: dash asks for each byte by itself. A few more
 * are read so too, since of as many lines of /proc/meminfo as /proc/stat has of CPUs SwapFree, which is wanted last, is to
 * be one.
 */
const MAX_CPUS_TO_READ = 22;

// One process a tick. The interrupt counters, most of /proc/stat on a large host, stay there.
const GREP =
  `grep -s -h -E "^(cpu|Mem(Total|Free|Available):|Buffers:|Cached:|Swap(Total|Free):)|^[0-9.]+ [0-9.]+ [0-9.]+ [0-9]+/" ` +
  `/proc/stat /proc/meminfo /proc/loadavg`;

/** The first sample's: nothing is known of the host but what the facts have just told. */
export function probeProcPart(include: ReadonlySet<Section>): Part {
  return procPart(include, { kind: "by the facts" });
}

/** A tick's. `probe`: what was answered to the first sample. */
export function tickProcPart(include: ReadonlySet<Section>, facts: LinuxFacts, probe: PartOutputs): Part {
  return procPart(include, procWay(facts, probe));
}

function procPart(include: ReadonlySet<Section>, way: ProcWay): Part {
  const sensors = include.has("cpu") ? CPU_SENSORS_COMMAND : ":";
  return { id: PROC_ID, kind: "buffered-shell", command: `${sensors}; w "@proc$n"; ${ask(way)}` };
}

/** A program comes last, since the part's status is that of its last. `$hk` is 1 while the same CPUs run. */
function ask(way: ProcWay): string {
  if (way.kind === "bounded grep") return `f; b ${GREP}`;
  if (way.kind === "by the facts")
    return `f; case "$hf" in ${WHERE_KERNEL_PROC} *) hk=;; esac; case $hk in 1) ${GREP};; *) b ${GREP};; esac`;
  if (way.kind === "grep") return `f; ${GREP}`;
  if (way.stat === null) return read(READ_STAT);
  const { online, count, last } = way.stat;
  const same = `hl=; { read -r hl; } <${ONLINE_CPUS} 2>/dev/null; case "$hl" in ${online}) hk=1;; *) hk=;; esac`;
  const lines = `l ${count} /proc/stat "${last} "`;
  if (way.kind === "read") return `${same}; ${read(`case $hk in 1) ${lines};; *) ${READ_STAT};; esac`)}`;
  const head = `head -n ${count} /proc/stat /proc/meminfo /proc/loadavg`;
  return `${same}; case $hk.$M in 1.1) ${read(lines)};; 1.) f; ${head} 2>/dev/null || ${GREP};; *) f; ${GREP};; esac`;
}

const READ_STAT = `while read -r hl; do case "$hl" in cpu*) w "$hl$n";; *) break;; esac; done </proc/stat`;

/**
 * By the shell alone. /proc/stat goes on with the interrupt counters, in a line that is longer than all CPUs': it is not
 * read where it is known which CPU is the last. Without swap, when /proc/swaps is nothing but its header, /proc/meminfo
 * need not be read as far as what it says of that.
 */
function read(stat: string): string {
  return [
    stat,
    `hk=; { read -r hl; case "$hl" in Filename*) read -r hl || hk=1;; esac; } </proc/swaps 2>/dev/null`,
    `case $hk in 1) l 5 /proc/meminfo Cached:; w "SwapTotal: 0 kB\${n}SwapFree: 0 kB$n";; *) l 25 /proc/meminfo SwapFree:;; esac`,
    `read -r hl </proc/loadavg; w "$hl$n"`,
  ].join("; ");
}

function procWay({ hasKernelProc, online }: LinuxFacts, probe: PartOutputs): ProcWay {
  if (hasKernelProc !== true) return { kind: "bounded grep" };
  const counters = createCpuCounters();
  counters.read(probe.get(PROC_ID)?.stdout.split("\n") ?? []);
  const { cpus, hasTotal } = counters;
  // Where the two lists differ, one of them is not the kernel's own.
  const agree = hasTotal && online !== null && online.cpus.join() === cpus.join();
  const stat = agree ? { online: online.text, count: cpus.length + 1, last: `cpu${cpus.at(-1)}` } : null;
  if (cpus.length > 0 && cpus.length <= MAX_CPUS_TO_READ) return { kind: "read", stat };
  return stat === null ? { kind: "grep" } : { kind: "head", stat };
}
