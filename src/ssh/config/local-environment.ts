/** The real ConfigEnvironment: this machine, this user. The only file of this folder that starts processes or looks names up. */
import { execFile, spawn, spawnSync } from "node:child_process";
import { Resolver } from "node:dns/promises";
import { hostname, networkInterfaces, userInfo, type UserInfo } from "node:os";
import { promisify } from "node:util";
import { UsageError } from "../../contract/errors.js";
import { realClock, type Clock } from "../../lib/clock.js";
import { Limiter } from "../../lib/limiter.js";
import { inProcessNames, type Names } from "../names/names.js";
import { dialectOf, NEWEST_DIALECT, NEWEST_RELEASE, releaseOf } from "./dialect.js";
import type { AddressFamily, ConfigEnvironment, SshVerdict } from "./environment.js";
import type { ConfigSource } from "./load.js";
import { database, localFiles } from "./read.js";

/** How names are looked up while configs are read; `limitMs`: the time limit that follows from the config's ConnectTimeout. */
export interface LookUps {
  readonly names: Names;
  readonly clock: Clock;
  readonly limitMs: (connectTimeoutSecs: number | null) => number;
}

/** Processes at once while the configs of a whole fleet are read in parallel. */
const MAX_PROCESSES = 8;
const MAX_LOOK_UP_MS = 30_000;
const IN_PROCESS: LookUps = {
  names: inProcessNames(),
  clock: realClock,
  limitMs: () => MAX_LOOK_UP_MS,
};

/**
 * Reads user, home (from the password database, not $HOME) and host name now. The dialect is that of the `ssh` on PATH,
 * which is started when it first matters. Throws UsageError where our user is not in the password database, as ssh does.
 */
export function localEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  lookUps: LookUps = IN_PROCESS,
): ConfigEnvironment {
  const { username, homedir, uid } = ownEntry();
  const processes = new Limiter(MAX_PROCESSES);
  const installed = once(() => installedVersion(env));
  const homeOf = (user: string | null): string | null => {
    if (user === null) return homedir;
    return database("/etc/passwd").find(([name]) => name === user)?.[5] ?? null;
  };
  return {
    env,
    get dialect() {
      return dialectOf(installed()) ?? NEWEST_DIALECT;
    },
    get release() {
      return releaseOf(installed()) || NEWEST_RELEASE;
    },
    uid,
    localUser: username,
    home: homedir,
    localHostname: hostname(),
    files: localFiles(uid),
    homeOf,
    includeHome: (user) => (user === null ? (env["HOME"] ?? homedir) : homeOf(user)),
    servicePort: memoized(servicePort),
    runMatchExec: (command) => limited(processes, () => runInShell(command, env)),
    async lookup(name, family, wantCanonicalName, connectTimeoutSecs) {
      const limitMs = lookUps.limitMs(connectTimeoutSecs);
      const answer = await exists(name, family, limitMs, lookUps);
      if (answer !== "yes") return answer === "no" ? null : answer;
      if (!wantCanonicalName) return { canonicalName: null };
      const canonicalName = await limited(processes, () => canonicalNameOf(name, family, limitMs));
      return { canonicalName };
    },
    askSsh: (source, target) => limited(processes, () => askSsh(source, target, env)),
    localAddresses: () =>
      Object.values(networkInterfaces()).flatMap((addresses) =>
        (addresses ?? []).map(({ address }) => address),
      ),
  };
}

function ownEntry(): UserInfo<string> {
  try {
    return userInfo();
  } catch {
    throw new UsageError([`No user exists for uid ${process.getuid?.() ?? 0}`], false);
  }
}

const VERSION_TIMEOUT_MS = 5_000;

/** What `ssh -V` prints; empty where there is no ssh. */
function installedVersion(env: Readonly<Record<string, string | undefined>>): string {
  const { stderr } = spawnSync("ssh", ["-V"], {
    env: { ...env },
    stdio: ["ignore", "ignore", "pipe"],
    timeout: VERSION_TIMEOUT_MS,
    killSignal: "SIGKILL",
    encoding: "utf8",
  });
  return typeof stderr === "string" ? stderr : "";
}

function once<Value>(read: () => Value): () => Value {
  let known: { readonly value: Value } | null = null;
  return () => (known ??= { value: read() }).value;
}

function memoized<Value>(read: (name: string) => Value): (name: string) => Value {
  const known = new Map<string, Value>();
  return (name) => {
    const value = known.get(name) ?? read(name);
    known.set(name, value);
    return value;
  };
}

/** /etc/services: `name port/protocol aliases...`. */
function servicePort(wanted: string): number | null {
  for (const [text = ""] of database("/etc/services")) {
    const [name, entry = "", ...aliases] = (text.split("#", 1)[0] ?? "").split(/\s+/);
    if (!entry.endsWith("/tcp") || (name !== wanted && !aliases.includes(wanted))) continue;
    return parseInt(entry, 10);
  }
  return null;
}

async function limited<Value>(limiter: Limiter, start: () => Promise<Value>): Promise<Value> {
  const release = await limiter.acquire(new AbortController().signal);
  try {
    return await start();
  } finally {
    release();
  }
}

/** $SHELL -c, with standard input and output closed, as ssh runs `Match exec`. */
function runInShell(command: string, env: Readonly<Record<string, string | undefined>>): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const child = spawn(env["SHELL"] ?? "/bin/sh", ["-c", command], {
      env: { ...env },
      stdio: ["ignore", "ignore", "inherit"],
    });
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      if (code === null) reject(new Error(`ended by ${signal ?? "a signal"}`));
      else resolve(code === 0);
    });
  });
}

const ASK_TIMEOUT_MS = 20_000;

/** `ssh -G`, as it would connect for a command. */
async function askSsh(
  source: ConfigSource,
  { user, host, port }: { readonly user?: string; readonly host: string; readonly port?: number },
  env: Readonly<Record<string, string | undefined>>,
): Promise<SshVerdict | null> {
  const args = [
    ...(source.kind === "file" ? ["-F", source.path] : []),
    ...(source.kind === "none" ? ["-F", "none"] : []),
    ...(user === undefined ? [] : ["-l", user]),
    ...(port === undefined ? [] : ["-p", String(port)]),
    ...["-o", "BatchMode=yes", "-T", "-G", "--", host, "true"],
  ];
  const { code, stdout, stderr } = await new Promise<{ code: unknown; stdout: string; stderr: string }>(
    (resolve) => {
      const options = { env: { ...env }, timeout: ASK_TIMEOUT_MS, killSignal: "SIGKILL" } as const;
      const child = execFile("ssh", args, options, (error, out, err) =>
        resolve({ code: error === null ? 0 : error.code, stdout: out, stderr: err }),
      );
      child.stdin?.end();
    },
  );
  // No exit code: it could not be started, or a signal ended it.
  if (typeof code !== "number") return null;
  if (code !== 0) return { kind: "refused", complaints: stderr.split(/\r?\n/).filter((line) => line !== "") };
  const value = (key: string): string | undefined =>
    new RegExp(`^${key} (.+)$`, "m").exec(stdout)?.[1]?.trim();
  return {
    kind: "accepted",
    hostname: value("hostname") ?? host,
    user: value("user") ?? user ?? userInfo().username,
    port: Number(value("port") ?? port ?? 22),
  };
}

const FAMILIES = { any: 0, inet: 4, inet6: 6 } as const;

async function exists(
  name: string,
  family: AddressFamily,
  limitMs: number,
  { names, clock }: LookUps,
): Promise<"yes" | "no" | "no-answer"> {
  const limit = new AbortController();
  const timer = clock.after(limitMs, () => limit.abort());
  try {
    await names.find(name, FAMILIES[family], limit.signal);
    return "yes";
  } catch {
    return limit.signal.aborted ? "no-answer" : "no";
  } finally {
    timer.cancel();
  }
}

const GETENT = { any: "ahosts", inet: "ahostsv4", inet6: "ahostsv6" } as const;

/** getaddrinfo's canonical name, which Node.js does not return: from getent(1), or by DNS where there is no getent. */
async function canonicalNameOf(name: string, family: AddressFamily, limitMs: number): Promise<string | null> {
  try {
    const options = { timeout: limitMs, killSignal: "SIGKILL" } as const;
    const { stdout } = await promisify(execFile)("getent", [GETENT[family], name], options);
    const line = /^\S+\s+STREAM[^\S\n]+(\S+)/m.exec(stdout);
    return line?.[1] ?? null;
  } catch (error) {
    const tookTooLong = error instanceof Error && "killed" in error && error.killed === true;
    return tookTooLong ? null : followAliases(name, limitMs);
  }
}

const MAX_ALIASES = 16;

async function followAliases(name: string, limitMs: number): Promise<string | null> {
  const resolver = new Resolver({ timeout: limitMs, tries: 1 });
  let current = name;
  for (let step = 0; step < MAX_ALIASES; step++) {
    try {
      const [next] = await resolver.resolveCname(current);
      if (next === undefined) break;
      current = next;
    } catch {
      break;
    }
  }
  return current === name ? null : current;
}
