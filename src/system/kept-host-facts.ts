/** The facts of a Linux host that are kept between runs, and how an answer of LINUX_FACTS uses them. */
import {
  CPU_CLOCKS,
  KEPT_MARK,
  lastingFacts,
  LINUX_FACTS,
  ONLINE_CPUS,
  STATE_MARK,
} from "./linux-facts-part.js";

/** The part that answers with them. */
export const HOST_FACTS = LINUX_FACTS.id;

export interface HostFacts {
  /** What the shell compares: CPUs, clocks and limits of the cgroup, as LINUX_FACTS prints them. */
  readonly state: string;
  /** Lines of an answer of LINUX_FACTS. */
  readonly text: string;
}

/** It stands in double quotes of a script. Numbers, lists of CPUs and `max`, or `-` for a file that is not there. */
const STATE = /^\d{1,5}(?:\/[\da-z, -]{0,200}){9}$/;
/** A host with 256 CPUs has some 6 KiB. */
const MAX_HOST_FACTS_CHARS = 65_536;

/**
 * The facts in a whole answer. Null where they may not be kept: a FUSE server has written /proc, or the answer does not go
 * as far as the list of CPUs, which comes behind the files of each CPU.
 */
export function hostFactsToKeep(stdout: string): HostFacts | null {
  const at = stdout.lastIndexOf(`\n${STATE_MARK}`);
  if (at < 0) return null;
  const state = stdout.slice(at + 1 + STATE_MARK.length).trimEnd();
  if (stdout.includes(" fuse.lxcfs ") || !stdout.includes(":proc /proc proc ")) return null;
  if (!stdout.includes(`${ONLINE_CPUS}:${state.split("/")[1] ?? ""}\n`)) return null;
  const facts = { state, text: lastingFacts(stdout) };
  return areHostFacts(facts) ? facts : null;
}

/** Whether a script may have them, and their text is no larger than a host's. */
export function areHostFacts({ state, text }: HostFacts): boolean {
  return STATE.test(state) && text.length <= MAX_HOST_FACTS_CHARS;
}

const SIBLINGS = /\/topology\/core_siblings_list:(.*)$/gm;

/**
 * For the script: the state in `$kf`, and in `$kc` the file with the clocks where the record has one, that of a host with one
 * socket (linux-cpu.ts). On a host of 256 CPUs this file costs more than all else.
 */
export function hostAssignment({ state, text }: HostFacts): string {
  const sockets = new Set(Array.from(text.matchAll(SIBLINGS), ([, cpus]) => cpus));
  return `kf="${state}"; kc=${sockets.size === 1 ? CPU_CLOCKS : ""}`;
}

/** Whether the answer has only what is never kept. */
export function completesKeptFacts(stdout: string): boolean {
  return stdout.startsWith(`${KEPT_MARK}\n`);
}

/** Such an answer as one that has everything. */
export function withKeptFacts(stdout: string, { text }: HostFacts): string {
  return `${text}\n${stdout.slice(KEPT_MARK.length + 1)}`;
}
