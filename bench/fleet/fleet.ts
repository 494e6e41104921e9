/** A fleet to measure against: real sshds on loopback that answer on as many addresses as hosts are asked for. */
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { knownHostsLines, startSshd } from "../../test/support/sshd.js";
import type { SshdOptions } from "../../test/support/sshd.js";
import { makeTempDir } from "../../test/support/temp-dir.js";
import { cpuMeter } from "../measure/cpu-meter.js";
import { DRIVER_VERSION, makeFakeGpus } from "./fake-gpus.js";
import type { FakeGpus } from "./fake-gpus.js";

export interface Farm {
  readonly addresses: readonly string[];
  readonly port: number;
  readonly user: string;
  readonly home: string;
  readonly keyFile: string;
  readonly knownHostsFile: string;
  /** `user@address:port` a line. */
  readonly hostfile: string;
  readonly dir: string;
  readonly gpus: FakeGpus;
  /** A known_hosts line of the fleet's key under another name. */
  hostKeyLine(address: string, port: number): string;
  /** CPU time that the sshds and all that they run have used. */
  serverCpuUs(): number;
  /** What the sshds logged. */
  log(): string;
  stop(): Promise<void>;
}

/** OpenSSH's MAX_LISTEN_SOCKS. */
const MAX_ADDRESSES = 16;
/** Set in the bench that has a network namespace of its own. */
const ALONE = "ALLSMI_BENCH_ALONE";

/** A driver with a version, as a real host of the stand-in's GPUs has: seen only in a mount namespace of the bench. */
const DRIVER_FOLDER = "/sys/module/nvidia";
const MOUNT_DRIVER = `mount -t tmpfs none /sys/module && mkdir ${DRIVER_FOLDER} && echo ${DRIVER_VERSION} >${DRIVER_FOLDER}/version`;

/**
 * Starts the bench again where loopback is the only network, so that one sshd may listen on all addresses, and where the
 * hosts have the stand-in's driver, if mounts are possible. Returns when it cannot (no root, no util-linux), or when this
 * is that run; otherwise it ends the process.
 */
export function reenterAlone(): void {
  if (process.env[ALONE] !== undefined || process.getuid?.() !== 0) return;
  if (spawnSync("unshare", ["-n", "ip", "link", "set", "lo", "up"]).status !== 0) return;
  const mayMount = spawnSync("unshare", ["-m", "sh", "-c", MOUNT_DRIVER], { stdio: "ignore" }).status === 0;
  const [flags, mount] = mayMount ? [["-n", "-m"], `${MOUNT_DRIVER} && `] : [["-n"], ""];
  const argv = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const command = `${mount}ip link set lo up && exec "$@"`;
  const again = spawnSync("unshare", [...flags, "sh", "-c", command, "sh", ...argv], {
    stdio: "inherit",
    env: { ...process.env, [ALONE]: "1" },
  });
  process.exit(again.status ?? 1);
}

/** Whether the watched hosts have a driver whose version is that of the stand-in. */
export function hasDriverVersion(): boolean {
  try {
    return readFileSync(`${DRIVER_FOLDER}/version`, "utf8").trim() === DRIVER_VERSION;
  } catch {
    return false;
  }
}

export function isAlone(): boolean {
  return process.env[ALONE] !== undefined;
}

/** 127.0.0.1 to 127.0.3.232 for a thousand hosts: all of 127/8 is loopback. */
function addressesOf(count: number): readonly string[] {
  return Array.from({ length: count }, (_, i) => `127.0.${Math.floor(i / 250)}.${(i % 250) + 1}`);
}

/** Key exchange is held to curve25519 for everyone: OpenSSH's default costs its client ten times as much. */
export async function startFarm(
  hosts: number,
  options: Pick<SshdOptions, "shell" | "env" | "config"> = {},
): Promise<Farm> {
  const temp = makeTempDir("bench");
  const gpus = makeFakeGpus(temp.path);
  const addresses = addressesOf(hosts);
  const meter = cpuMeter();
  const shared: SshdOptions = {
    shell: "/bin/sh",
    bin: gpus.bin,
    within: meter.prefix,
    ...options,
    config: [
      ...(options.config ?? []),
      "KexAlgorithms curve25519-sha256,curve25519-sha256@libssh.org",
      "LogLevel INFO",
      "MaxStartups 4000",
    ],
  };
  const listens = isAlone() ? [["0.0.0.0"]] : inGroups(addresses, MAX_ADDRESSES);
  let shares: Pick<SshdOptions, "hostKeys" | "authorizedKeys"> = {};
  const servers = await startAnywhere(async (port, index) => {
    const server = await startSshd({
      ...shared,
      ...(index === 0 ? {} : shares),
      addresses: listens[index] ?? ["127.0.0.1"],
      port,
    });
    if (index === 0) shares = { hostKeys: server.hostKeys, authorizedKeys: [server.userKey.publicLine] };
    return server;
  }, listens.length);
  const [first] = servers;
  if (first === undefined) throw new Error("a fleet has at least one host");
  const knownHostsFile = join(temp.path, "known_hosts");
  writeFileSync(knownHostsFile, addresses.map((address) => first.knownHostsLine(address)).join(""));
  const hostfile = join(temp.path, "hosts.txt");
  writeFileSync(hostfile, addresses.map((address) => `${first.user}@${address}:${first.port}\n`).join(""));
  return {
    addresses,
    port: first.port,
    user: first.user,
    home: first.home,
    keyFile: first.userKey.file,
    knownHostsFile,
    hostfile,
    dir: temp.path,
    gpus,
    hostKeyLine: (address, port) => knownHostsLines(address, port, first.hostKeys),
    serverCpuUs: () => meter.readUs(process.pid),
    log: () => servers.map((server) => server.log()).join(""),
    stop: async () => {
      await Promise.all(servers.map((server) => server.stop()));
      meter.remove();
      temp.remove();
    },
  };
}

const MAX_PORTS = 5;

/**
 * Starts `count` servers on one port: the first on a free one (port 0), the others on its port. Where another server of
 * this machine has that port on one of their addresses, all of them start again on another.
 */
export async function startAnywhere<Server extends { readonly port: number; stop(): Promise<void> }>(
  start: (port: number, index: number) => Promise<Server>,
  count: number,
): Promise<readonly Server[]> {
  for (let attempt = 1; ; attempt++) {
    const servers: Server[] = [];
    try {
      for (let index = 0; index < count; index++) servers.push(await start(servers[0]?.port ?? 0, index));
      return servers;
    } catch (error) {
      await Promise.all(servers.map((server) => server.stop()));
      const isTaken = error instanceof Error && /already in use/i.test(error.message);
      if (!isTaken || attempt === MAX_PORTS) throw error;
    }
  }
}

function inGroups<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) =>
    items.slice(i * size, (i + 1) * size),
  );
}

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
export const OUR_PROGRAM = join(ROOT, "dist/start.cjs");

/** Free memory now, in MiB. */
export function availableMib(): number {
  const found = /^MemAvailable:\s+(\d+) kB/m.exec(readFileSync("/proc/meminfo", "utf8"))?.[1];
  return Number(found ?? 0) / 1024;
}

/** Our argv against a farm. `node`: flags of node itself. */
export function oursArgv(
  program: string,
  farm: Pick<Farm, "hostfile" | "keyFile" | "knownHostsFile">,
  args: readonly string[],
  node: readonly string[] = [],
): readonly string[] {
  return [
    ...[process.execPath, ...node, program, "--ssh-hostfile", farm.hostfile, "--ssh-config", "none"],
    ...["--ssh-key", farm.keyFile, "--ssh-known-hosts", farm.knownHostsFile, "--format", "ndjson", ...args],
  ];
}
