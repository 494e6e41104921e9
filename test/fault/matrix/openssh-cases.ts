/** Hosts that are reached by the system's `ssh`: what its process, its control master and its config may do. */
import { existsSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { descendantsOf, signalPid } from "../../support/processes.js";
import { CONNECTION_CASES } from "./connection-cases.js";
import { failed, FRAMES, gpuError, type FaultyHost, type HostCase } from "./fault-case.js";
import { hostAt, ownFile, serve } from "./servers.js";

/** Cases that both clients must pass alike. */
const SHARED: readonly string[] = [
  "sshd is killed between ticks, and comes back",
  "the host key changes between two connections",
  "the session's sshd is killed",
  "the session's sshd is stopped (SIGSTOP)",
  "all of sshd is stopped (SIGSTOP), as a host that swaps",
  "a black hole both ways",
  "a black hole towards the host",
  "a black hole towards us",
  "the connection is reset",
  "the connection is half closed by the host's side",
  "one byte is wrong",
];

/** A signal to the `ssh` processes of one host. */
function sshSignalled(
  name: string,
  expected: HostCase["expected"],
  begin: NodeJS.Signals,
  end: NodeJS.Signals | null,
): HostCase {
  return {
    name,
    expected,
    arrange: async (): Promise<FaultyHost> => {
      const own = await serve();
      const host = hostAt(own);
      let alias = "";
      const signalAll = (signal: NodeJS.Signals): void => {
        const found = descendantsOf(process.pid).filter(
          ({ command }) => command.startsWith("ssh ") && command.includes(` -- ${alias} `),
        );
        if (found.length === 0) throw new Error(`no ssh of ${alias} runs`);
        for (const { pid } of found) signalPid(pid, signal);
      };
      return {
        ...host,
        known: (name) => {
          alias = name;
          return host.known(name);
        },
        begin: () => signalAll(begin),
        end: () => {
          if (end !== null) signalAll(end);
        },
      };
    },
  };
}

const OWN_CASES: readonly HostCase[] = [
  sshSignalled("our ssh process is killed", failed("disconnected", "connection-lost"), "SIGKILL", null),
  sshSignalled("our ssh process is stopped (SIGSTOP)", gpuError(/no answer/), "SIGSTOP", null),
  {
    name: "a control socket that never answers",
    expected: FRAMES,
    arrange: async (): Promise<FaultyHost> => {
      const path = ownFile("master");
      const sockets = new Set<Socket>();
      const server = createServer((socket) => {
        sockets.add(socket);
        socket.on("error", () => undefined);
      });
      await new Promise<void>((resolve) => server.listen(path, resolve));
      return hostAt(await serve(), [`ControlPath ${path}`, "ControlMaster auto", "ControlPersist 1h"], {
        stop: () => {
          for (const socket of sockets) socket.destroy();
          return new Promise((resolve) => server.close(() => resolve()));
        },
      });
    },
  },
  {
    name: "a LocalCommand that the config permits is not run",
    expected: FRAMES,
    arrange: async (): Promise<FaultyHost> => {
      const mark = ownFile("ran");
      return hostAt(await serve(), ["PermitLocalCommand yes", `LocalCommand touch ${mark}`], {
        after: () => {
          if (existsSync(mark)) throw new Error("LocalCommand was run");
        },
      });
    },
  },
  {
    name: "a proxy command that writes to standard error without an end",
    expected: failed("disconnected", "protocol-error"),
    arrange: async (): Promise<FaultyHost> => {
      const own = await serve();
      // ssh does not wait for its standard error, so that `yes` ends with 1 where nobody reads it for a moment.
      const noise = "while yes noise >&2 || [ $? = 1 ]; do :; done";
      const carry = `exec 3<>/dev/tcp/127.0.0.1/${own.port}; ${noise} & cat <&3 & cat >&3`;
      return hostAt(own, [`ProxyCommand bash -c '${carry}'`]);
    },
  },
  {
    name: "lines before the host's banner without an end",
    expected: failed("unreachable", "not-ssh"),
    arrange: async (): Promise<FaultyHost> => hostAt(await serve(), [`ProxyCommand bash -c 'yes welcome'`]),
  },
];

export const OPENSSH_CASES: readonly HostCase[] = [
  ...CONNECTION_CASES.filter(({ name }) => SHARED.includes(name)),
  ...OWN_CASES,
];
