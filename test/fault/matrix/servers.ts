/** The machines behind the cases: one sshd that healthy hosts and faulty tools share, and sshds of their own. */
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { H100_ROW, makeTools } from "../../support/fake-tools.js";
import { signalPid } from "../../support/processes.js";
import { makeKey, type KeyPair } from "../../support/ssh-key.js";
import { startSshd, type Sshd, type SshdOptions } from "../../support/sshd.js";
import { makeTempDir } from "../../support/temp-dir.js";
import type { FaultyHost } from "./fault-case.js";

const temp = makeTempDir("matrix-servers");
const started: Sshd[] = [];
let count = 0;

/** One key for all users, one for all hosts. */
const userKey: KeyPair = makeKey(join(temp.path, "user"));
export const hostKey: KeyPair = makeKey(join(temp.path, "host"));
/** In this folder a file with the name of a host's FAULT is a script that its tool runs before it answers. */
const faults = join(temp.path, "faults");
/** The folder of the tool. */
export const bin = makeTools(join(temp.path, "bin"), {
  "nvidia-smi": [
    `case "$1" in --query-gpu=*) [ -n "$FAULT" ] && [ -e ${faults}/$FAULT ] && . ${faults}/$FAULT`,
    `echo "${H100_ROW}";;`,
    `--query-compute-apps=*) echo "gpu_uuid, pid, process_name, used_gpu_memory [MiB]";;`,
    "*) exit 2;;",
    "esac",
  ].join("\n"),
});
makeTools(faults, {});

/** An sshd with the keys and the tool of all cases; stopped by `stopServers`. */
export async function serve(options: SshdOptions = {}): Promise<Sshd> {
  const server = await startSshd({
    ...{ bin, shell: "/bin/sh", hostKeys: [hostKey], authorizedKeys: [userKey.publicLine] },
    ...options,
    config: [...(options.config ?? []), "AcceptEnv FAULT"],
  });
  started.push(server);
  return server;
}

export async function stopServers(): Promise<void> {
  await Promise.all(started.map((server) => server.stop()));
  temp.remove();
}

/** The lines of ssh_config that lead to a port of this machine. */
export function config(port: number, user: string, ...more: readonly string[]): readonly string[] {
  return [...more, ...["HostName 127.0.0.1", `Port ${port}`, `User ${user}`, `IdentityFile ${userKey.file}`]];
}

export const known = (alias: string, key: KeyPair = hostKey): string =>
  `${alias} ${key.publicLine.split(" ").slice(0, 2).join(" ")}`;

/** A host on a server of ours. */
export function hostAt(
  server: Sshd,
  more: readonly string[] = [],
  rest: Partial<FaultyHost> = {},
  port = server.port,
): FaultyHost {
  return { config: config(port, server.user, ...more), known, ...rest };
}

/** A host of the shared sshd whose tool runs `script` of sh between `begin` and `end`. */
export function hostWithTool(server: Sshd, script: string): FaultyHost {
  const name = `tool-${count++}`;
  const file = join(faults, name);
  return hostAt(server, [`SetEnv FAULT=${name}`], {
    begin: () => writeFileSync(file, script),
    end: () => {
      if (existsSync(file)) rmSync(file);
    },
  });
}

/** A file for the case that nobody else writes. */
export function ownFile(name: string): string {
  return join(temp.path, `${count++}-${name}`);
}

/** Processes of the sshd that match: of its sessions (`/@notty/`), its listener, or what runs in sessions. */
export function signalAll(server: Sshd, pattern: RegExp, signal: NodeJS.Signals): number {
  const found = server.processes().filter(({ command }) => pattern.test(command));
  for (const { pid } of found) signalPid(pid, signal);
  return found.length;
}
