/** `all-smi view --ssh`: it draws on a terminal and keeps its own pace, so its readings are counted where they are taken. */
import { spawn, spawnSync } from "node:child_process";
import type { Farm } from "../fleet/fleet.js";
import { cpuMeter } from "./cpu-meter.js";
import { processNamed } from "./resident.js";
import { sleep } from "./watch-run.js";

/** Its own limit on a hostfile. */
const MAX_VIEWED_HOSTS = 1000;

/** Null when it can run here, or what is missing. */
export function cannotView(farm: Farm): string | null {
  if (farm.gpus.calls() === null)
    return "no C compiler, so nothing counts the readings of all-smi view --ssh";
  if (farm.addresses.length > MAX_VIEWED_HOSTS)
    return `all-smi view --ssh reads ${MAX_VIEWED_HOSTS} hosts at most`;
  for (const program of ["all-smi", "script"])
    if (spawnSync("sh", ["-c", `command -v ${program}`]).status !== 0) return `${program} is not installed`;
  return null;
}

export interface ViewingPeer {
  /** Waits until the fleet was read `rounds` times more, and the readings of the last round are all in. */
  rounds(rounds: number): Promise<void>;
  cpuUs(): number;
  /** Of the program itself. Throws where it does not run. */
  viewerPid(): number;
  stop(): Promise<void>;
}

/** On a terminal of 200 x 60; the terminal's own work (script, of util-linux) is not counted where a cgroup counts. */
export function startViewing(farm: Farm, intervalSecs: number): ViewingPeer {
  const meter = cpuMeter();
  const argv = [
    ...["all-smi", "view", "--ssh-hostfile", farm.hostfile, "--ssh-key", farm.keyFile],
    ...["--ssh-known-hosts", farm.knownHostsFile, "--ssh-fallback", "nvidia-smi"],
    ...["--ssh-timeout-secs", "60", "--interval", String(intervalSecs)],
  ];
  const command = `stty rows 60 cols 200; exec ${[...meter.prefix, ...argv].map(quoted).join(" ")}`;
  const child = spawn("script", ["-qfec", command, "/dev/null"], {
    stdio: ["pipe", "pipe", "ignore"],
    env: {
      PATH: process.env["PATH"] ?? "",
      HOME: farm.dir,
      TERM: "xterm-256color",
      ALL_SMI_ENERGY_NO_WAL: "1",
    },
  });
  const exited = new Promise<void>((resolve) => child.once("close", () => resolve()));
  child.stdout.resume();
  child.stdin.on("error", () => undefined);
  const hosts = farm.addresses.length;
  const calls = (): number => farm.gpus.calls() ?? 0;
  return {
    async rounds(rounds) {
      const wanted = calls() + rounds * hosts;
      const end = performance.now() + rounds * (60_000 + hosts * 200 + intervalSecs * 1000);
      while (calls() < wanted) {
        if (child.exitCode !== null) throw new Error(`all-smi view has ended with ${child.exitCode}`);
        if (performance.now() > end)
          throw new Error(`all-smi view took ${wanted - calls()} readings too few`);
        await sleep(20);
      }
      // The answers are on their way back; the interval begins when the last has come.
      await sleep(intervalSecs * 500);
    },
    cpuUs: () => meter.readUs(child.pid ?? 0),
    viewerPid: () => processNamed(child.pid ?? 0, "all-smi"),
    async stop() {
      child.stdin.write("q");
      const isGone = await Promise.race([exited.then(() => true), sleep(3000).then(() => false)]);
      if (!isGone) child.kill("SIGTERM");
      await exited;
      meter.remove();
    },
  };
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
