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
import { DEMO_HOSTS, type DemoHost } from "./demo-hosts.js";
import { kernelLog } from "./tools.js";

export interface Demo {
  readonly targets: readonly Target[];
  /** The given options with the demo's own key, config and known_hosts. */
  ssh(options: SshOptions): SshOptions;
  /** Ends the servers and removes their folder. */
  close(): Promise<void>;
}

/** How long the host that drops is up, and how long it is away. */
const UP_MS = 7000;
const AWAY_MS = 3000;

/** Needs a POSIX /bin/sh. Writes only to a folder of its own in the system's temporary folder. */
export async function startDemo(): Promise<Demo> {
  const dir = join(tmpdir(), `allsmi-ssh-demo-${randomBytes(9).toString("hex")}`);
  // First: from the moment that the folder exists, something must remove it.
  const remove = removeAtEveryEnd(dir);
  mkdirSync(dir, { mode: 0o700 });
  const servers: EmbeddedServer[] = [];
  const timers: NodeJS.Timeout[] = [];
  const close = async (): Promise<void> => {
    timers.forEach((timer) => clearInterval(timer));
    await Promise.all(servers.map((server) => server.close()));
    remove();
  };
  try {
    const [user, shims] = await Promise.all([makeEmbeddedKey(), allShims()]);
    writeFileSync(join(dir, "key"), user.private, { mode: 0o600 });
    const config: string[] = [];
    const known: string[] = [];
    for (const host of DEMO_HOSTS) {
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
      if (host.behaviour === "drops") timers.push(dropAndReturn(server));
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
    targets: DEMO_HOSTS.map(({ name, labels }) => ({ host: name, labels, origin: "--demo" })),
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

function dropAndReturn(server: EmbeddedServer): NodeJS.Timeout {
  return setInterval(() => {
    server.accept(false);
    server.drop();
    setTimeout(() => server.accept(true), AWAY_MS).unref();
  }, UP_MS + AWAY_MS);
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
