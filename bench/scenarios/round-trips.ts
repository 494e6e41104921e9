/** How often a byte must cross the network, at 50 ms a round trip: to ready, to the first frame, a tick. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startFarm } from "../fleet/fleet.js";
import type { Farm } from "../fleet/fleet.js";
import { oursArgv } from "../fleet/fleet.js";
import { roundTripMs, startDelayRelay } from "../fleet/relay.js";
import { LeftOut, type Tried } from "../measure/again.js";
import { startMetered } from "../measure/cpu-meter.js";
import { Rounds } from "../measure/figures.js";
import type { Scenario } from "./scenario.js";

const DELAY_MS = 25;
/** TCP's own handshake, which a relay cannot hold back. */
const TCP = 1;
const TICKS = 8;

export const roundTrips: Scenario = {
  name: "round-trips",
  about: "crossings of the network at 50 ms",
  takes: "2 minutes",
  async run({ runs, quick, program, peer, say }) {
    const farm = await startFarm(1);
    const ways = [
      ["", []],
      [".js-only", ["--import", `file://${peer("without-addon")}`]],
    ] as const;
    const seen = new Rounds();
    const leftOut = new LeftOut();
    try {
      const rtt = await roundTripMs(DELAY_MS);
      for (let round = 0; round < (runs ?? (quick ? 1 : 5)); round++) {
        for (const [way, node] of ways) {
          const tried = (step: string): Tried => ({
            what: `round-trips${way}, ${step}`,
            say,
            log: () => farm.log(),
          });
          const ready = await leftOut.round(tried("ready"), () => timeToReady(farm, node));
          const frames = await leftOut.round(tried("frames"), () => watch(program, farm, node));
          if (ready === null || frames === null) continue;
          const { first, ticks } = frames;
          const plainSsh = way === "" ? await sshCommand(farm) : null;
          say(
            `round-trips${way}: ready ${(ready / rtt + TCP).toFixed(2)}, first frame ${(first / rtt + TCP).toFixed(2)}`,
          );
          seen.add(`ready${way}`, ready / rtt + TCP);
          seen.add(`first-frame${way}`, first / rtt + TCP);
          for (const tick of ticks) seen.add(`tick${way}`, tick / rtt);
          if (plainSsh !== null) seen.add("ssh", plainSsh / rtt + TCP);
        }
      }
      return {
        figures: [
          ...ways.flatMap(([way]) =>
            (["ready", "first-frame", "tick"] as const).map((what) => ({
              id: `round-trips.${what}${way}`,
              what: `round trips, ${what}${way === "" ? "" : ", JS only"}`,
              unit: "",
              values: seen.of(`${what}${way}`),
            })),
          ),
          {
            id: "round-trips.ssh",
            what: "round trips, `ssh HOST cmd` whole",
            unit: "",
            values: seen.of("ssh"),
          },
        ],
        notes: [
          ...leftOut.notes(),
          `round-trips: ${rtt.toFixed(1)} ms through the relay; to ready and first frame from the opening of the connection, divided by that, and one added for the TCP handshake, which is not delayed`,
        ],
      };
    } finally {
      await farm.stop();
    }
  },
};

interface Through {
  readonly port: number;
  readonly knownHosts: string;
  readonly hostfile: string;
  readonly openedAtMs: () => number;
  readonly stop: () => Promise<void>;
}

async function relayTo(farm: Farm): Promise<Through> {
  const relay = await startDelayRelay("127.0.0.1", farm.port, DELAY_MS);
  const knownHosts = join(farm.dir, "known_hosts.relay");
  writeFileSync(knownHosts, farm.hostKeyLine("127.0.0.1", relay.port));
  const hostfile = join(farm.dir, "hosts.relay");
  writeFileSync(hostfile, `${farm.user}@127.0.0.1:${relay.port}\n`);
  return {
    port: relay.port,
    knownHosts,
    hostfile,
    openedAtMs: () => relay.openedAtMs(),
    stop: () => relay.stop(),
  };
}

const TIME_TO_READY = fileURLToPath(new URL("../peers/time-to-ready.ts", import.meta.url));

async function timeToReady(farm: Farm, node: readonly string[]): Promise<number> {
  const relay = await relayTo(farm);
  const argv = ["127.0.0.1", String(relay.port), farm.user, farm.keyFile, relay.knownHosts];
  const running = startMetered([process.execPath, "--import", "tsx", ...node, TIME_TO_READY, ...argv]);
  let text = "";
  running.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
  await running.ended.finally(() => relay.stop());
  const ms = Number(/^ready ([\d.]+)$/m.exec(text)?.[1] ?? NaN);
  if (Number.isNaN(ms)) throw new Error(`never ready: ${running.stderr()}`);
  return ms;
}

/** Milliseconds from the opening of the connection to the first frame's line, and the later ticks' latencies. */
async function watch(
  program: string,
  farm: Farm,
  node: readonly string[],
): Promise<{ readonly first: number; readonly ticks: readonly number[] }> {
  const relay = await relayTo(farm);
  const files = { hostfile: relay.hostfile, keyFile: farm.keyFile, knownHostsFile: relay.knownHosts };
  const args = ["--interval", "0.5", "--count", String(TICKS)];
  const running = startMetered(oursArgv(program, files, args, node));
  let first = NaN;
  const ticks: number[] = [];
  let rest = "";
  running.stdout.setEncoding("utf8");
  running.stdout.on("data", (text: string) => {
    const now = performance.timeOrigin + performance.now();
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const latency = /"record":"frame".*?"latency_ms":([\d.]+)/.exec(line)?.[1];
      if (latency === undefined) continue;
      if (Number.isNaN(first)) first = now - relay.openedAtMs();
      else ticks.push(Number(latency));
    }
  });
  await running.ended;
  await relay.stop();
  if (Number.isNaN(first) || ticks.length < 2) throw new Error(`no frames: ${running.stderr()}`);
  // The tick after the first defines the script, and sends more than the later ones.
  return { first, ticks: ticks.slice(1) };
}

async function sshCommand(farm: Farm): Promise<number | null> {
  const relay = await relayTo(farm);
  const options = [
    "BatchMode=yes",
    "IdentitiesOnly=yes",
    "IdentityAgent=none",
    `UserKnownHostsFile=${relay.knownHosts}`,
  ];
  const argv = [
    "ssh",
    "-F",
    "none",
    "-i",
    farm.keyFile,
    "-p",
    String(relay.port),
    ...options.flatMap((option) => ["-o", option]),
  ];
  const begun = performance.now();
  const running = startMetered([...argv, `${farm.user}@127.0.0.1`, farm.gpus.command]);
  running.stdout.resume();
  const ended = await running.ended.catch(() => null);
  await relay.stop();
  return ended?.code === 0 ? performance.now() - begun : null;
}
