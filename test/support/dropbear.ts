/** A real dropbear server for tests. It needs the made-up machine, because it reads authorized_keys only in the user's home. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "./free-port.js";
import { waitFor } from "./processes.js";
import type { ProcessEntry } from "./processes.js";
import { canIsolate, makeRemoteMachine } from "./remote-machine.js";
import { makeKey } from "./ssh-key.js";
import type { KeyPair } from "./ssh-key.js";
import { makeTempDir } from "./temp-dir.js";

const DROPBEAR = ["/usr/sbin/dropbear", "/usr/local/sbin/dropbear"].find((path) => existsSync(path));

/** Why no dropbear can be started here; null when one can. */
export const missing: string | null =
  DROPBEAR === undefined
    ? "dropbear is not installed (dropbear-bin)"
    : canIsolate()
      ? null
      : "dropbear needs a home of its own: run as root with namespaces";

export interface DropbearOptions {
  readonly address?: string;
  /** One ed25519 host key by default. */
  readonly hostKeyTypes?: readonly ("ed25519" | "ecdsa" | "rsa")[];
  readonly authorizedKeys?: readonly string[];
  readonly shell?: string;
  /** More command line arguments. */
  readonly args?: readonly string[];
}

export interface Dropbear {
  readonly port: number;
  readonly user: string;
  readonly home: string;
  readonly userKey: KeyPair;
  readonly dir: string;
  knownHostsLine(host?: string): string;
  readonly knownHostsFile: string;
  log(): string;
  processes(): ProcessEntry[];
  stop(): Promise<void>;
}

/** Starts dropbear and waits until it accepts. Throws, with its log, when it does not. */
export async function startDropbear(options: DropbearOptions = {}): Promise<Dropbear> {
  if (DROPBEAR === undefined || missing !== null) throw new Error(missing ?? "dropbear is not installed");
  const temp = makeTempDir("dropbear");
  const dir = temp.path;
  const address = options.address ?? "127.0.0.1";
  const machine = makeRemoteMachine(dir, [{ name: "watcher", shell: options.shell ?? "/bin/sh" }]);
  const home = machine.homes.get("watcher") ?? dir;
  const userKey = makeKey(join(dir, "user"));
  mkdirSync(join(home, ".ssh"), { mode: 0o700 });
  const authorized = options.authorizedKeys ?? [userKey.publicLine];
  writeFileSync(join(home, ".ssh", "authorized_keys"), `${authorized.join("\n")}\n`, { mode: 0o600 });
  const publicKeys: string[] = [];
  const keyArgs: string[] = [];
  for (const type of options.hostKeyTypes ?? ["ed25519"]) {
    const file = join(dir, `host-${type}`);
    const text = execFileSync("dropbearkey", ["-t", type, "-f", file], { encoding: "utf8", stdio: "pipe" });
    const line = text.split("\n").find((part) => /^(ssh|ecdsa)-/.test(part));
    if (line === undefined) throw new Error(`dropbearkey printed: ${text}`);
    publicKeys.push(line.split(" ").slice(0, 2).join(" "));
    keyArgs.push("-r", file);
  }
  const port = await freePort([address]);
  let log = "";
  const argv = [DROPBEAR, "-F", "-E", "-s", "-p", `${address}:${port}`, ...keyArgs, ...(options.args ?? [])];
  const server = machine.start(argv, (text) => (log += text));
  const stop = async (): Promise<void> => {
    await server.stop();
    temp.remove();
  };
  try {
    await waitFor("dropbear listens", () => server.exited() || log.includes("Not backgrounding"));
    if (server.exited()) throw new Error(`dropbear did not start:\n${log}`);
  } catch (error) {
    await stop();
    throw error;
  }
  const knownHostsLine = (host = address): string =>
    publicKeys.map((key) => `[${host}]:${port} ${key}\n`).join("");
  const knownHostsFile = join(dir, "known_hosts");
  writeFileSync(knownHostsFile, knownHostsLine());
  return {
    port,
    user: "watcher",
    home,
    userKey,
    dir,
    knownHostsLine,
    knownHostsFile,
    log: () => log,
    processes: () => server.processes(),
    stop,
  };
}
