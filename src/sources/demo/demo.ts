/** `--demo`: a fleet of simulated hosts behind real SSH servers in this process. */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import type { SshOptions } from "../../contract/ssh-options.js";
import type { Target } from "../../contract/target.js";
import { EXTRA_PATH } from "../../remote/script.js";
import type { Shim } from "../../shims/kit/shim.js";
import { allShims } from "../../shims/registry.js";
import {
  makeEmbeddedKey,
  startEmbeddedServer,
  type EmbeddedKey,
  type EmbeddedServer,
} from "../../ssh/ssh2/embedded-server.js";
import { makeDemoBus, SCREEN } from "./bus.js";
import { demoHosts, type DemoHost } from "./demo-hosts.js";
import { kernelLog } from "./tools.js";

export interface Demo {
  readonly targets: readonly Target[];
  /** The given options with the demo's own key, config and known_hosts. */
  ssh(options: SshOptions): SshOptions;
  /** Ends the servers and removes their folder. */
  close(): Promise<void>;
}

/** When the host that drops first goes, how long it is away, and how often that is: all is seen within ten seconds. */
const FIRST_DROP_MS = 3500;
const AWAY_MS = 1000;
const DROP_EVERY_MS = 9000;

/**
 * As many hosts as fit on a screen of this many rows; null: no screen. Needs a POSIX /bin/sh. Writes only to a folder of its
 * own in the system's temporary folder.
 */
export async function startDemo(screenRows: number | null): Promise<Demo> {
  const dir = join(tmpdir(), `allsmi-ssh-demo-${randomBytes(9).toString("hex")}`);
  // First: from the moment that the folder exists, something must remove it.
  const remove = removeAtEveryEnd(dir);
  mkdirSync(dir, { mode: 0o700 });
  const servers: EmbeddedServer[] = [];
  const stops: (() => void)[] = [];
  const hosts = demoHosts(screenRows, Math.floor(Date.now() / 1000));
  const close = async (): Promise<void> => {
    stops.forEach((stop) => stop());
    await Promise.all(servers.map((server) => server.close()));
    remove();
  };
  try {
    const [user, shims] = await Promise.all([makeEmbeddedKey(), allShims()]);
    writeFileSync(join(dir, "key"), user.private, { mode: 0o600 });
    const config: string[] = [];
    const known: string[] = [];
    for (const host of hosts) {
      const hostKey = await makeEmbeddedKey();
      const folder = join(dir, host.name);
      const path = makeTools(folder, host, shims);
      const server = await startEmbeddedServer({
        hostKey: hostKey.private,
        authorizedKey: host.behaviour === "refuses-key" ? null : user.public,
        env: {
          PATH: `${path}${delimiter}/usr/bin${delimiter}/bin`,
          HOME: dir,
        },
        rewrite: makeDemoBus(join(folder, "sys"), host.pci ?? [SCREEN]),
      });
      servers.push(server);
      if (host.behaviour === "drops") stops.push(dropAndReturn(server));
      config.push(`Host ${host.name}`, `  HostName 127.0.0.1`, `  Port ${server.port}`, `  User demo`);
      known.push(`[127.0.0.1]:${server.port} ${publicPart(await knownKey(host, hostKey))}`);
    }
    const common = [
      "Host *",
      `  IdentityFile ${join(dir, "key")}`,
      "  IdentitiesOnly yes",
      "  IdentityAgent none",
    ];
    const files = [`  UserKnownHostsFile ${join(dir, "known_hosts")}`, "  GlobalKnownHostsFile none"];
    writeFileSync(join(dir, "config"), `${[...config, ...common, ...files].join("\n")}\n`, { mode: 0o600 });
    writeFileSync(join(dir, "known_hosts"), `${known.join("\n")}\n`, { mode: 0o600 });
  } catch (error) {
    await close();
    throw error;
  }
  return {
    targets: hosts.map(({ name, labels }) => ({ host: name, labels, origin: "--demo" })),
    ssh: (options) => ({ ...options, configFile: join(dir, "config"), keyFiles: [], client: "ssh2" }),
    close,
  };
}

/** Removes the folder on request, when the process exits, and when it is killed: there are keys in it. */
function removeAtEveryEnd(dir: string): () => void {
  // It waits for the end of a pipe that this process holds open, and ignores the signals of a terminal.
  const script = `trap "" HUP INT QUIT TERM PIPE TSTP; while read -r line; do :; done; rm -rf -- "$1"`;
  const watcher = spawn("/bin/sh", ["-c", script, "sh", dir], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
    cwd: "/",
  });
  // Without this process the folder is still removed at every end but SIGKILL.
  watcher.on("error", () => undefined);
  watcher.unref();
  const held = watcher.stdin as Socket | null;
  held?.on("error", () => undefined);
  held?.unref();
  const remove = (): void => rmSync(dir, { recursive: true, force: true });
  process.once("exit", remove);
  return () => {
    process.off("exit", remove);
    remove();
    held?.destroy();
  };
}

/** The key of a host in the demo's known_hosts: for the one that was reinstalled, its old key. */
async function knownKey(host: DemoHost, actual: EmbeddedKey): Promise<EmbeddedKey> {
  return host.behaviour === "changed-key" ? await makeEmbeddedKey() : actual;
}

function publicPart(key: EmbeddedKey): string {
  return key.public.trim().split(" ").slice(0, 2).join(" ");
}

/** Returns what ends it. */
function dropAndReturn(server: EmbeddedServer): () => void {
  let back: NodeJS.Timeout | undefined;
  let next: NodeJS.Timeout;
  const drop = (): void => {
    server.accept(false);
    server.drop();
    back = setTimeout(() => server.accept(true), AWAY_MS);
    next = setTimeout(drop, DROP_EVERY_MS);
  };
  next = setTimeout(drop, FIRST_DROP_MS);
  return () => {
    clearTimeout(back);
    clearTimeout(next);
  };
}

/** The host's own tools. A tool that only this machine has is hidden by a script that fails like a missing program. */
function makeTools(dir: string, host: DemoHost, shims: readonly Shim[]): string {
  mkdirSync(dir);
  const tools: DemoHost["tools"] = { journalctl: kernelLog(), ...host.tools };
  // This machine's kernel log is not that of the simulated hosts.
  const hidden = ["dmesg", ...shims.flatMap((shim) => shim.executables)].filter(isOnThisMachine);
  for (const name of new Set([...hidden, ...Object.keys(tools)])) {
    const path = join(dir, name);
    writeFileSync(path, `#!/bin/sh\n${tools[name] ?? "exit 127"}\n`);
    chmodSync(path, 0o755);
  }
  return dir;
}

function isOnThisMachine(program: string): boolean {
  // The remote script looks in EXTRA_PATH too. Its folders under $HOME do not matter: demo hosts have another home.
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), ...EXTRA_PATH.split(":")];
  // PATH may be empty. What has a path of its own, as /sys has, is no program that could be hidden.
  return folders.some((folder) => folder !== "" && existsSync(join(folder, program)));
}
