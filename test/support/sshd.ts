/** A real OpenSSH server for tests, on loopback, with its own users, homes, keys and PATH. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "./free-port.js";
import { waitFor } from "./processes.js";
import type { ProcessEntry } from "./processes.js";
import { makeRemoteMachine } from "./remote-machine.js";
import type { RemoteServer, RemoteUser } from "./remote-machine.js";
import { makeKey } from "./ssh-key.js";
import type { KeyOptions, KeyPair } from "./ssh-key.js";
import { makeTempDir } from "./temp-dir.js";

const SSHD = ["/usr/sbin/sshd", "/usr/local/sbin/sshd", "/usr/lib/ssh/sshd"].find((path) => existsSync(path));

/** Why no sshd can be started here, for `test(..., { skip })`; null when one can. */
export const missing: string | null = SSHD === undefined ? "sshd is not installed (openssh-server)" : null;

export interface SshdOptions {
  /** `["127.0.0.1"]` by default. All of 127.0.0.0/8 works on Linux; IPv6 without brackets. */
  readonly addresses?: readonly string[];
  /** 0 or absent: a free one. */
  readonly port?: number;
  /** Host keys to make; one ed25519 key by default. */
  readonly hostKeyTypes?: readonly NonNullable<KeyOptions["type"]>[];
  /** Host keys that are there already, instead of made ones. */
  readonly hostKeys?: readonly KeyPair[];
  /** Lines of authorized_keys; only the made user key by default. */
  readonly authorizedKeys?: readonly string[];
  /** Users of the made-up machine; one `watcher` by default. The short forms `shell` and `home` are that user's. */
  readonly users?: readonly RemoteUser[];
  readonly shell?: string;
  readonly home?: string;
  /** A folder of programs that comes first on the remote PATH. */
  readonly bin?: string;
  /** Environment of every session (`SetEnv`); values without blanks or quotes. */
  readonly env?: Readonly<Record<string, string>>;
  /** Lines of sshd_config that come before ours, and so win. */
  readonly config?: readonly string[];
  /** Lines of a PAM service of its own, with UsePAM; needs an isolated machine. */
  readonly pam?: readonly string[];
  /** A command prefix that sshd runs under, as `["ip", "netns", "exec", NAME]`. */
  readonly within?: readonly string[];
}

export interface Sshd {
  readonly port: number;
  readonly addresses: readonly string[];
  /** Whom to log in as. */
  readonly user: string;
  /** The user's home on the made-up machine. */
  readonly home: string;
  /** False: it runs as the current user, whose own shell and home it uses. */
  readonly isolated: boolean;
  readonly hostKeys: readonly KeyPair[];
  /** A key that the server accepts. */
  readonly userKey: KeyPair;
  /** Temporary folder, gone after `stop()`; tests may put files there. */
  readonly dir: string;
  /** A known_hosts line, or several, for the server under this name (default: the first address). */
  knownHostsLine(host?: string): string;
  /** A known_hosts file with the server's keys for each of its addresses. */
  readonly knownHostsFile: string;
  log(): string;
  /** sshd and all that runs in its sessions, pids as seen from the test. */
  processes(): ProcessEntry[];
  /** May be called again. */
  stop(): Promise<void>;
}

/** Starts sshd and waits until it listens. Throws, with its log, when it does not. */
export async function startSshd(options: SshdOptions = {}): Promise<Sshd> {
  if (SSHD === undefined) throw new Error("sshd is not installed");
  const temp = makeTempDir("sshd");
  try {
    return await startIn(temp.path, SSHD, options, () => temp.remove());
  } catch (error) {
    temp.remove();
    throw error;
  }
}

async function startIn(dir: string, program: string, options: SshdOptions, clean: () => void): Promise<Sshd> {
  const addresses = options.addresses ?? ["127.0.0.1"];
  const types = options.hostKeyTypes ?? ["ed25519"];
  const hostKeys = options.hostKeys ?? types.map((type) => makeKey(join(dir, `host-${type}`), { type }));
  const userKey = makeKey(join(dir, "user"));
  const authorizedFile = join(dir, "authorized_keys");
  writeFileSync(authorizedFile, `${(options.authorizedKeys ?? [userKey.publicLine]).join("\n")}\n`);
  const users = options.users ?? [
    {
      name: "watcher",
      ...(options.shell === undefined ? {} : { shell: options.shell }),
      ...(options.home === undefined ? {} : { home: options.home }),
    },
  ];
  const machine = makeRemoteMachine(dir, users, options.within);

  const standardPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  const path = options.bin === undefined ? standardPath : `${options.bin}:${standardPath}`;
  const env = Object.entries({ PATH: path, ...options.env }).map(([name, value]) => `${name}=${value}`);
  let log = "";
  let server: RemoteServer;
  let port = 0;
  for (let attempt = 0; ; attempt++) {
    port = options.port !== undefined && options.port > 0 ? options.port : await freePort(addresses);
    const config = [
      ...(options.config ?? []),
      `Port ${port}`,
      ...addresses.map((address) => `ListenAddress ${address.includes(":") ? `[${address}]` : address}`),
      ...hostKeys.map((key) => `HostKey ${key.file}`),
      `AuthorizedKeysFile ${authorizedFile}`,
      `SetEnv ${env.join(" ")}`,
      "PidFile none",
      "StrictModes no",
      `UsePAM ${options.pam === undefined ? "no" : "yes"}`,
      "PermitRootLogin yes",
      "PasswordAuthentication no",
      "KbdInteractiveAuthentication no",
      "UseDNS no",
      "PrintMotd no",
      "PrintLastLog no",
      // Its keys would be two thirds of what a login costs both sides. `ssh/live` has servers with it.
      "KexAlgorithms -sntrup761x25519-*",
      "LogLevel VERBOSE",
      "MaxStartups 1000",
    ];
    const configFile = join(dir, "sshd_config");
    writeFileSync(configFile, `${config.join("\n")}\n`);
    log = "";
    const argv = [program, "-D", "-e", "-f", configFile];
    const command = options.pam === undefined ? argv : withPam(dir, options.pam, argv);
    server = machine.start(command, (text) => (log += text));
    const started = server;
    const listening = (): number => log.split("Server listening on ").length - 1;
    try {
      await waitFor("sshd listens", () => started.exited() || listening() >= addresses.length);
    } catch (error) {
      await started.stop();
      throw error;
    }
    if (listening() >= addresses.length && !started.exited()) break;
    await started.stop();
    if (attempt === 2 || !log.includes("already in use")) throw new Error(`sshd did not start:\n${log}`);
  }
  const running = server;
  const knownHostsFile = join(dir, "known_hosts");
  writeFileSync(
    knownHostsFile,
    addresses.map((address) => knownHostsLines(address, port, hostKeys)).join(""),
  );
  return {
    port,
    addresses,
    user: machine.user,
    home: machine.homes.get(machine.user) ?? "/",
    isolated: machine.isolated,
    hostKeys,
    userKey,
    dir,
    knownHostsLine: (host = addresses[0] ?? "127.0.0.1") => knownHostsLines(host, port, hostKeys),
    knownHostsFile,
    log: () => log,
    processes: () => running.processes(),
    stop: async () => {
      await running.stop();
      clean();
    },
  };
}

/** sshd names its PAM service after itself: the machine's own services are left out of it. */
function withPam(dir: string, lines: readonly string[], argv: readonly string[]): string[] {
  const services = join(dir, "pam.d");
  mkdirSync(services, { recursive: true });
  writeFileSync(join(services, "sshd"), `${lines.join("\n")}\n`);
  return ["sh", "-c", 'mount --bind "$1" /etc/pam.d && shift && exec "$@"', "sh", services, ...argv];
}

/** The flags of allsmi-ssh to watch this server, and no other configuration, at some of its addresses (default: all). */
export function sshArgs(server: Sshd, addresses = server.addresses): string[] {
  const targets = addresses.map((address) => `${server.user}@${address}:${server.port}`).join(",");
  const files = ["--ssh-known-hosts", server.knownHostsFile, "--ssh-key", server.userKey.file];
  return ["--ssh", targets, "--ssh-config", "none", ...files];
}

/** One line a key, each ended by a newline; `[host]:port` unless the port is 22. */
export function knownHostsLines(host: string, port: number, keys: readonly KeyPair[]): string {
  const name = port === 22 ? host : `[${host}]:${port}`;
  return keys
    .map((key) => readFileSync(`${key.file}.pub`, "utf8").trim().split(" ").slice(0, 2).join(" "))
    .map((key) => `${name} ${key}\n`)
    .join("");
}
