/**
 * A made-up machine for a test's SSH server: its own passwd, shadow, process tree and /run, in namespaces of its own, so
 * that login shell and home are the test's and nothing outlives it. Needs root and util-linux's unshare; elsewhere the
 * server runs as the current user with that user's own shell and home (`isolated` false).
 */
import { execFileSync, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { chownSync, mkdirSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { descendantsOf, signalPid, waitFor } from "./processes.js";
import type { ProcessEntry } from "./processes.js";

export interface RemoteUser {
  readonly name: string;
  /** 0 by default: only root can be logged in as without more rights of the container. */
  readonly uid?: number;
  /** `/bin/sh` by default. */
  readonly shell?: string;
  /** An empty folder by default. */
  readonly home?: string;
}

export interface RemoteMachine {
  readonly isolated: boolean;
  /** The first user's name: whom to log in as. */
  readonly user: string;
  /** Home folders by user name. */
  readonly homes: ReadonlyMap<string, string>;
  /** Starts a server that must stay in the foreground; its standard error goes to `onLog`. */
  start(argv: readonly string[], onLog: (text: string) => void, env?: NodeJS.ProcessEnv): RemoteServer;
}

export interface RemoteServer {
  /** The topmost process: everything of the server is below it, or is it. */
  readonly pid: number;
  readonly exited: () => boolean;
  /** Every process of the server and of its sessions, with pids as seen from the test. */
  processes(): ProcessEntry[];
  /** Kills all of it, and waits until it is gone. Nothing the second time: the pid may be somebody else's by then. */
  stop(): Promise<void>;
}

let namespacesWork: boolean | null = null;

/** Whether this process may make mount and pid namespaces. */
export function canIsolate(): boolean {
  if (namespacesWork !== null) return namespacesWork;
  try {
    const script = "mount --bind /dev/null /etc/shadow && mount -t tmpfs none /run";
    execFileSync("unshare", [...NAMESPACES, "sh", "-c", script], { stdio: "ignore", timeout: 10_000 });
    namespacesWork = process.getuid?.() === 0;
  } catch {
    namespacesWork = false;
  }
  return namespacesWork;
}

const NAMESPACES = [
  "--mount",
  "--pid",
  "--fork",
  "--kill-child=KILL",
  "--mount-proc",
  "--propagation",
  "private",
];

/**
 * Writes the machine's files below `dir`. `users` matter only when isolated.
 * `within`: a command prefix that the server runs under (`ip netns exec NAME`).
 */
export function makeRemoteMachine(
  dir: string,
  users: readonly RemoteUser[],
  within: readonly string[] = [],
): RemoteMachine {
  const isolated = canIsolate();
  const first = users[0];
  if (!isolated || first === undefined) {
    const me = userInfo();
    return {
      isolated: false,
      user: me.username,
      homes: new Map([[me.username, me.homedir]]),
      start: (argv, onLog, env) => startServer([...within, ...argv], onLog, env),
    };
  }
  const homes = new Map<string, string>();
  const passwd = ["root:x:0:0:root:/root:/bin/sh", "nobody:x:65534:65534:nobody:/:/bin/false"];
  passwd.push("sshd:x:65533:65534::/run/sshd:/bin/false");
  const shadow = ["root:*:19000:0:99999:7:::", "nobody:*:19000:0:99999:7:::", "sshd:*:19000:0:99999:7:::"];
  for (const user of users) {
    const home = user.home ?? join(dir, `home-${user.name}`);
    mkdirSync(home, { recursive: true, mode: 0o755 });
    const uid = user.uid ?? 0;
    chownSync(home, uid, uid);
    homes.set(user.name, home);
    // The first match wins in getpwnam, so a test that names root gets its own root.
    passwd.unshift(`${user.name}:x:${uid}:${uid}:${user.name}:${home}:${user.shell ?? "/bin/sh"}`);
    shadow.unshift(`${user.name}:*:19000:0:99999:7:::`);
  }
  const passwdFile = join(dir, "passwd");
  const shadowFile = join(dir, "shadow");
  writeFileSync(passwdFile, `${passwd.join("\n")}\n`);
  writeFileSync(shadowFile, `${shadow.join("\n")}\n`);
  const setUp =
    'mount --bind "$1" /etc/passwd && mount --bind "$2" /etc/shadow && mount -t tmpfs -o mode=755 none /run && ' +
    'mkdir -m 755 /run/sshd && shift 2 && exec "$@"';
  return {
    isolated: true,
    user: first.name,
    homes,
    start: (argv, onLog, env) =>
      startServer(
        // prettier-ignore
        ["setpriv", "--pdeathsig", "KILL", ...within, "unshare", ...NAMESPACES,
          "sh", "-c", setUp, "sh", passwdFile, shadowFile, ...argv],
        onLog,
        env,
      ),
  };
}

function startServer(
  argv: readonly string[],
  onLog: (text: string) => void,
  env: NodeJS.ProcessEnv = process.env,
): RemoteServer {
  const [program, ...args] = argv;
  if (program === undefined) throw new Error("no program to start");
  const child: ChildProcess = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"], env });
  let exited = false;
  child.on("exit", () => (exited = true));
  child.on("error", (error) => {
    exited = true;
    onLog(`${error.message}\n`);
  });
  child.stderr?.setEncoding("utf8").on("data", onLog);
  const pid = child.pid;
  if (pid === undefined) throw new Error(`${program} did not start`);
  return {
    pid,
    exited: () => exited,
    processes: () => descendantsOf(pid),
    stop: async () => {
      if (exited) return;
      // Below namespaces the kernel ends the rest with the first; elsewhere each is ended by its pid.
      const rest = descendantsOf(pid);
      signalPid(pid, "SIGKILL");
      for (const entry of rest) signalPid(entry.pid, "SIGKILL");
      await waitFor(`the end of ${program}`, () => exited);
    },
  };
}
