/** A watched host whose user may start no more processes: a fork bomb of theirs, or a limit (RLIMIT_NPROC). */
import { execFileSync } from "node:child_process";
import type { Sshd } from "../../support/sshd.js";
import { gpuError, type Expected, type HostCase } from "./fault-case.js";
import { hostAt, serve } from "./servers.js";

/** Users of their own, that nothing else runs as: the kernel counts the processes of a user. */
let nextUid = 61_230;

const SHELL = /^(\/bin\/)?(sh|dash)( |$)|sh -s/;
const SESSION = /^sshd(-session)?: limited@/;

/** The soft limit, set by the user itself, who may raise it again. How many processes were limited. */
function limit(server: Sshd, uid: number, pattern: RegExp, processes: string): number {
  const found = server.processes().filter(({ command }) => pattern.test(command));
  const become = ["--reuid", String(uid), "--regid", String(uid), "--clear-groups"];
  for (const { pid } of found)
    execFileSync("setpriv", [...become, "prlimit", "--pid", String(pid), `--nproc=${processes}:`]);
  return found.length;
}

/** The hard limit of a process of the test, which those of the server have inherited. */
const hardLimit = (): string =>
  execFileSync("prlimit", ["--nproc", "--raw", "--noheadings", "--output=HARD"], { encoding: "utf8" }).trim();

function limited(name: string, expected: Expected, pattern: RegExp): HostCase {
  return {
    name,
    expected,
    arrange: async () => {
      const uid = nextUid++;
      const own = await serve({ users: [{ name: "limited", uid }] });
      return hostAt(own, [], {
        begin: () => {
          if (limit(own, uid, pattern, "1") === 0) throw new Error("there is no process to limit");
        },
        end: () => {
          limit(own, uid, pattern, hardLimit());
        },
      });
    },
  };
}

const NO_PROCESSES = gpuError(/can start no more processes|does not run the command/);

export const PROCESS_TABLE_CASES: readonly HostCase[] = [
  limited("the remote shell can start no process", NO_PROCESSES, SHELL),
  limited(
    "neither the remote shell nor sshd can start a process",
    NO_PROCESSES,
    new RegExp(`${SHELL.source}|${SESSION.source}`),
  ),
];
