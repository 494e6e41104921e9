/**
 * Hostile peers beside a healthy host: what one costs this machine in CPU and memory, and the healthy host in frames. Two
 * builds are compared by `--program` and `--against`.
 */
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startHostileServer, type Attack } from "../../test/fault/matrix/hostile-server.js";
import { bin, config, hostKey, known, serve, stopServers } from "../../test/fault/matrix/servers.js";
import { ANNOUNCED_KEYS, data, globalRequest, message, text } from "../../test/fault/matrix/ssh-messages.js";
import { startTcpServer } from "../../test/support/tcp-server.js";
import { makeTempDir } from "../../test/support/temp-dir.js";
import { Rounds, type Figure } from "../measure/figures.js";
import type { Scenario } from "./scenario.js";

const WATCH_SECS = 15;
const INTERVAL_SECS = 0.5;
/** A run that takes more is ended: it has shown what it does. */
const MAX_MIB = 1500;

interface Peer {
  readonly id: string;
  readonly what: string;
  /** Hosts of this kind. */
  readonly hosts?: number;
  readonly start: () => Promise<{ readonly port: number; stop(): Promise<unknown> }>;
}

const hostile = (id: string, what: string, attack: Attack): Peer => ({
  id,
  what,
  start: () =>
    startHostileServer(attack, {
      hostKey: readFileSync(hostKey.file),
      path: `${bin}:${process.env["PATH"] ?? ""}`,
    }),
});

const PEERS: readonly Peer[] = [
  hostile("requests", "requests that want a reply, and nothing is read", {
    onReady: (at) => {
      at.socket.pause();
      at.flood(globalRequest("ping@attacker"));
    },
  }),
  hostile("host-keys", "300 host keys in each announcement", {
    onReady: (at) => at.flood(globalRequest("hostkeys-00@openssh.com", ANNOUNCED_KEYS)),
  }),
  hostile("key-welcome", "20,000 times that the key is welcome", {
    onAuth: (at) => at.flood(message(60, "ssh-ed25519", text(Buffer.alloc(51))), 20_000),
  }),
  hostile("bytes", "data of one byte each", {
    onExec: (_, at) => at.flood(data(at.channelNumber, "x")),
  }),
  {
    id: "banners",
    what: "40 servers that drip banner lines, one each ms",
    hosts: 40,
    start: () =>
      startTcpServer((socket) => {
        const timer = setInterval(() => socket.write("welcome\r\n"), 1);
        socket.on("close", () => clearInterval(timer));
      }),
  },
  {
    id: "group",
    what: "an honest sshd with group exchange only",
    start: () => serve({ config: ["KexAlgorithms diffie-hellman-group-exchange-sha256"] }),
  },
];

interface Cost {
  readonly cpuSecs: number;
  readonly mib: number;
  readonly secs: number;
  readonly stdout: string;
}

export const floods: Scenario = {
  name: "floods",
  about: "hostile peers beside a healthy host: CPU, memory, the healthy host's frames",
  takes: "10 minutes",
  isOnlyByName: true,
  async run({ program, against, runs, say }) {
    const builds = [["this", program], ...(against === null ? [] : [["other", against]])] as const;
    const figures: Figure[] = [];
    const temp = makeTempDir("floods");
    const add = (id: string, what: string, unit: string, values: readonly number[]): void =>
      void figures.push({ id: `floods.${id}`, what, unit, values });
    try {
      for (const peer of PEERS) {
        const rounds = new Rounds();
        for (let round = 0; round < (runs ?? 1); round++)
          for (const [build = "", file = ""] of builds) {
            say(`${peer.what}: ${build} build`);
            const cost = await watchBeside(peer, file, temp.path);
            rounds.add(`${build}.cpu`, cost.cpuSecs);
            rounds.add(`${build}.mib`, cost.mib);
            rounds.add(`${build}.frames`, cost.stdout.split("\n").filter(isFrameOfHealthy).length);
          }
        for (const [build = ""] of builds) {
          add(`${peer.id}.${build}.cpu`, `${peer.what}: CPU, ${build} build`, "s", rounds.of(`${build}.cpu`));
          add(`${peer.id}.${build}.mib`, "resident at most", "MiB", rounds.of(`${build}.mib`));
          const ticks = WATCH_SECS / INTERVAL_SECS;
          add(
            `${peer.id}.${build}.frames`,
            `frames beside it, of ${ticks}`,
            "",
            rounds.of(`${build}.frames`),
          );
        }
      }
      const hostfile = join(temp.path, "hosts");
      writeFileSync(hostfile, Array.from({ length: 100_000 }, (_, i) => `node-${i}.example.com`).join("\n"));
      for (const [build = "", file = ""] of builds) {
        say(`one-off runs: ${build} build`);
        const full = await costOf(file, [
          ...["--ssh", "a@127.0.0.1:1", "--ssh-config", "none", "--ssh-known-hosts", "/dev/full", "--once"],
        ]);
        add(`dev-full.${build}.mib`, `known_hosts is /dev/full, ${build} build`, "MiB", [full.mib]);
        add(`dev-full.${build}.secs`, "the same, time", "s", [full.secs]);
        const dry = await costOf(file, ["--ssh-hostfile", hostfile, "--ssh-config", "none", "--dry-run"]);
        add(`dry-run.${build}.cpu`, `100,000 hosts with --dry-run: CPU, ${build} build`, "s", [dry.cpuSecs]);
        add(`dry-run.${build}.mib`, "the same, resident at most", "MiB", [dry.mib]);
      }
    } finally {
      await stopServers();
      temp.remove();
    }
    return { figures, notes: [`a run that takes more than ${MAX_MIB} MiB is ended there`] };
  },
};

function isFrameOfHealthy(line: string): boolean {
  return line.includes('"record":"frame"') && line.includes('"hostname":"healthy"');
}

async function watchBeside(peer: Peer, program: string, folder: string): Promise<Cost> {
  const healthy = await serve();
  const server = await peer.start();
  const names = Array.from({ length: peer.hosts ?? 1 }, (_, index) => `hostile-${index}`);
  const all = ["healthy", ...names];
  const [knownFile, configFile] = [join(folder, "known_hosts"), join(folder, "config")];
  writeFileSync(knownFile, all.map((name) => known(name)).join("\n"));
  const lines = [
    ...["Host healthy", "HostKeyAlias healthy", ...config(healthy.port, healthy.user)],
    ...names.flatMap((name) => [`Host ${name}`, `HostKeyAlias ${name}`]),
    ...["Host hostile-*", ...config(server.port, healthy.user)],
    ...["Host *", "IdentityAgent none", "IdentitiesOnly yes", `UserKnownHostsFile ${knownFile}`],
    "GlobalKnownHostsFile none",
  ];
  writeFileSync(configFile, `${lines.join("\n")}\n`, { mode: 0o600 });
  try {
    return await costOf(
      program,
      [
        ...["--ssh", all.join(","), "--ssh-config", configFile, "--format", "ndjson"],
        ...["--ssh-fallback", "nvidia-smi", "--include", "gpu", "--interval", String(INTERVAL_SECS)],
      ],
      WATCH_SECS,
    );
  } finally {
    await server.stop();
    await healthy.stop();
  }
}

/** Runs the program to its end, or for `secs`. */
async function costOf(program: string, args: readonly string[], secs = 60): Promise<Cost> {
  const began = performance.now();
  const child = spawn(process.execPath, [program, ...args], { stdio: ["ignore", "pipe", "ignore"] });
  let stdout = "";
  child.stdout.setEncoding("utf8").on("data", (piece: string) => (stdout += piece));
  let [cpuSecs, mib] = [0, 0];
  const look = (): void => {
    try {
      const stat = readFileSync(`/proc/${child.pid ?? 0}/stat`, "utf8");
      const [user = 0, system = 0] = stat.slice(stat.lastIndexOf(")")).split(" ").slice(12, 14).map(Number);
      const status = readFileSync(`/proc/${child.pid ?? 0}/status`, "utf8");
      const resident = Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1024;
      [cpuSecs, mib] = [Math.max(cpuSecs, (user + system) / 100), Math.max(mib, resident)];
      if (mib > MAX_MIB) child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
  };
  const timer = setInterval(look, 50);
  const deadline = setTimeout(() => child.kill("SIGKILL"), secs * 1000);
  await new Promise((resolve) => child.once("close", resolve));
  clearInterval(timer);
  clearTimeout(deadline);
  return { cpuSecs, mib, secs: (performance.now() - began) / 1000, stdout };
}
