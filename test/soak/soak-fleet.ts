/** The soak's hosts: a few real sshds, and before each host a relay on an address of its own. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeFakeGpus } from "../../bench/fleet/fake-gpus.js";
import { makeTools } from "../support/fake-tools.js";
import type { ProcessEntry } from "../support/processes.js";
import { knownHostsLines, startSshd } from "../support/sshd.js";
import type { Sshd, SshdOptions } from "../support/sshd.js";
import { makeKey } from "../support/ssh-key.js";
import { makeTempDir } from "../support/temp-dir.js";
import { FaultyRelay } from "./faulty-relay.js";

/** One sshd serves so many: its restart is a fault of them all. */
const HOSTS_A_SERVER = 25;

export interface SoakHost {
  readonly relay: FaultyRelay;
  /** While this file is there, the host's nvidia-smi runs it in its own place. */
  readonly toolFault: string;
}

export interface SoakFleet {
  readonly hosts: readonly SoakHost[];
  readonly serverCount: number;
  readonly dir: string;
  /** Flags of the program that watches all of the hosts. */
  readonly args: readonly string[];
  /** Processes of all sessions, the servers' own ones left out. */
  sessionProcesses(): readonly ProcessEntry[];
  /** Ends a server with all of its sessions, and starts it again on the same port. */
  restart(server: number): Promise<void>;
  stop(): Promise<void>;
}

/** `count` hosts; 250 an address block of 127.1.0.0/16. */
export async function startSoakFleet(count: number): Promise<SoakFleet> {
  const temp = makeTempDir("soak");
  const faults = join(temp.path, "faults");
  mkdirSync(faults);
  const gpus = makeFakeGpus(temp.path);
  const userKey = makeKey(join(temp.path, "user"));
  const hostKey = makeKey(join(temp.path, "host"));
  const settings: SshdOptions = {
    shell: "/bin/sh",
    bin: makeTools(join(temp.path, "tools"), {
      "nvidia-smi": `f=${faults}/\${SSH_CONNECTION%% *}; [ -e "$f" ] && . "$f"; exec ${gpus.bin}/nvidia-smi "$@"`,
    }),
    hostKeys: [hostKey],
    authorizedKeys: [userKey.publicLine],
    config: ["KexAlgorithms curve25519-sha256", "LogLevel INFO", "MaxStartups 4000"],
  };
  const servers: Sshd[] = [];
  for (let from = 0; from < count; from += HOSTS_A_SERVER) servers.push(await startSshd(settings));
  const hosts: SoakHost[] = [];
  let port = 0;
  for (let i = 0; i < count; i++) {
    const address = `127.1.${Math.floor(i / 250)}.${(i % 250) + 1}`;
    const relay = new FaultyRelay(address, () => servers[Math.floor(i / HOSTS_A_SERVER)]?.port ?? 0);
    port = await relay.listen(port);
    hosts.push({ relay, toolFault: join(faults, address) });
  }
  const user = servers[0]?.user ?? "";
  const addresses = hosts.map(({ relay }) => relay.address);
  const hostfile = join(temp.path, "hosts.txt");
  writeFileSync(hostfile, addresses.map((address) => `${user}@${address}:${port}\n`).join(""));
  const knownHosts = join(temp.path, "known_hosts");
  writeFileSync(knownHosts, addresses.map((address) => knownHostsLines(address, port, [hostKey])).join(""));
  return {
    hosts,
    serverCount: servers.length,
    dir: temp.path,
    args: [
      ...["--ssh-hostfile", hostfile, "--ssh-config", "none"],
      ...["--ssh-key", userKey.file, "--ssh-known-hosts", knownHosts],
    ],
    sessionProcesses: () =>
      servers.flatMap((server) => server.processes().filter(({ command }) => !OF_A_SERVER.test(command))),
    restart: async (index) => {
      const server = servers[index];
      if (server === undefined) return;
      await server.stop();
      servers[index] = await startSshd({ ...settings, port: server.port });
    },
    stop: async () => {
      await Promise.all(hosts.map(({ relay }) => relay.stop()));
      await Promise.all(servers.map((server) => server.stop()));
      temp.remove();
    },
  };
}

/** The listener itself, and what started it. */
const OF_A_SERVER = /\[listener\]|sshd -D |^(setpriv|unshare|sh -c mount)/;
