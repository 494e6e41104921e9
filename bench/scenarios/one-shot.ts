/** One frame of each host, from a cold start to the end of the process: client CPU beside peers that run one exec. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { hasDriverVersion, oursArgv, startFarm } from "../fleet/fleet.js";
import { oneShotPeers } from "../fleet/peer-programs.js";
import type { Peer } from "../fleet/peer-programs.js";
import { LeftOut } from "../measure/again.js";
import { startMetered } from "../measure/cpu-meter.js";
import { inTurn, Rounds } from "../measure/figures.js";
import type { Figure } from "../measure/figures.js";
import type { Scenario } from "./scenario.js";

const OURS = "ours";
const JS_ONLY = "ours, JS only";
const GPU_ONLY = "ours, gpu only";
const KEPT_FACTS = "ours, kept facts";
const BARE = "bare ssh2";
const BARE_JS_ONLY = "bare ssh2, JS only";
/** A header and eight rows. */
const LINES_A_HOST = 9;

export const oneShot: Scenario = {
  name: "one-shot",
  about: "one frame of each host",
  needs: "asyncssh, paramiko, clush, pdsh, pssh where there are any; 3 GiB of memory",
  takes: "15 to 30 minutes",
  async run({ hosts, runs, quick, program, against, peer, say }) {
    const count = hosts ?? (quick ? 40 : 500);
    const farm = await startFarm(count);
    try {
      const { peers, absent } = oneShotPeers(farm, peer);
      const noAddon = ["--import", `file://${peer("without-addon")}`];
      const bare = peers.find(({ name }) => name === BARE);
      // Its first round fills the cache and is not counted.
      const cache = join(farm.dir, "cache");
      mkdirSync(cache);
      const keptFacts: Peer = {
        name: KEPT_FACTS,
        argv: oursArgv(program, farm, ["--once"]),
        env: { XDG_CACHE_HOME: cache },
      };
      const [node = "", ...bareArgs] = bare?.argv ?? [];
      const all: readonly Peer[] = [
        { name: OURS, argv: oursArgv(program, farm, ["--once"]) },
        { name: JS_ONLY, argv: oursArgv(program, farm, ["--once"], noAddon) },
        ...(against === null ? [] : [{ name: "against", argv: oursArgv(against, farm, ["--once"]) }]),
        { name: GPU_ONLY, argv: oursArgv(program, farm, ["--once", "--include", "gpu"]) },
        keptFacts,
        { name: BARE_JS_ONLY, argv: [node, ...noAddon, ...bareArgs] },
        ...peers,
      ];
      const client = new Rounds();
      const server = new Rounds();
      const wall = new Rounds();
      const peak = new Rounds();
      const leftOut = new LeftOut();
      const logged = { say, log: () => farm.log() };
      await leftOut.round({ what: "one-shot, filling the cache", ...logged }, () =>
        runOnce(keptFacts, count),
      );
      for (let round = 0; round < (runs ?? (quick ? 1 : 5)); round++) {
        for (const each of inTurn(all, round)) {
          const once = await leftOut.round({ what: `one-shot, ${each.name}`, ...logged }, async () => {
            const before = farm.serverCpuUs();
            const done = await runOnce(each, count);
            return { ran: done, serverUs: farm.serverCpuUs() - before };
          });
          if (once === null) {
            for (const rounds of [client, server, wall, peak]) rounds.skip(each.name);
            continue;
          }
          const { ran, serverUs } = once;
          say(
            `one-shot ${each.name}: client ${(ran.cpuUs / 1e6).toFixed(2)} s, wall ${(ran.wallMs / 1000).toFixed(1)} s`,
          );
          client.add(each.name, ran.cpuUs / 1e6);
          server.add(each.name, serverUs / 1e6);
          wall.add(each.name, ran.wallMs / 1000);
          peak.add(each.name, ran.peakKib / 1024);
        }
      }
      const names = all.map(({ name }) => name);
      return {
        figures: [
          ...ratioFigures(client, names),
          over("wall", "wall time", wall, OURS, BARE),
          over("server", "CPU on the hosts", server, OURS, BARE),
          over("server", "CPU on the hosts", server, GPU_ONLY, BARE),
          over("server", "CPU on the hosts", server, KEPT_FACTS, BARE),
          ...names.flatMap((name): Figure[] => [
            {
              id: `one-shot.client-s.${slug(name)}`,
              what: `${name}: client CPU, ${count} hosts`,
              unit: "s",
              values: client.of(name),
            },
            {
              id: `one-shot.server-s.${slug(name)}`,
              what: `${name}: server CPU`,
              unit: "s",
              values: server.of(name),
            },
            {
              id: `one-shot.wall-s.${slug(name)}`,
              what: `${name}: wall time`,
              unit: "s",
              values: wall.of(name),
            },
          ]),
          {
            id: "one-shot.peak-mib.ours",
            what: "ours: peak resident memory",
            unit: "MiB",
            values: peak.of(OURS),
          },
        ],
        notes: [
          `one-shot: ${count} hosts, fake nvidia-smi is ${farm.gpus.kind}; peers run one query of 16 fields, ours probes and reads CPU, memory and chassis too`,
          ...(hasDriverVersion()
            ? []
            : [
                "one-shot: no mounts, so the hosts have no driver version: help is asked, and nothing of the tool is kept",
              ]),
          ...leftOut.notes(),
          ...absent.map((name) => `one-shot: ${name} is not installed`),
          "one-shot: `all-smi view --ssh` cannot stop after one reading: see steady",
        ],
      };
    } finally {
      await farm.stop();
    }
  },
};

function ratioFigures(client: Rounds, names: readonly string[]): Figure[] {
  const clientOver = (ours: string, name: string): Figure => ({
    id: `one-shot.${slug(ours)}-over-${slug(name)}`,
    what: `client CPU, ${ours} / ${name}`,
    unit: "x",
    values: client.ratios(ours, name),
  });
  // A peer that never answered gives no ratio; what is ours and never answered misses its limits.
  const others = names.filter(
    (name) => ![OURS, JS_ONLY, GPU_ONLY, KEPT_FACTS, BARE_JS_ONLY].includes(name) && client.has(name),
  );
  return [
    ...others.map((name) => clientOver(OURS, name)),
    ...others.filter((name) => name !== BARE && name !== "against").map((name) => clientOver(JS_ONLY, name)),
    clientOver(JS_ONLY, BARE_JS_ONLY),
    clientOver(KEPT_FACTS, OURS),
  ];
}

function over(id: string, what: string, rounds: Rounds, ours: string, other: string): Figure {
  return {
    id: `one-shot.${id}.${slug(ours)}-over-${slug(other)}`,
    what: `${what}, ${ours} / ${other}`,
    unit: "x",
    values: rounds.ratios(ours, other),
  };
}

function slug(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]+/g, "-");
}

/** Ten times what a host took on two loaded cores. */
const MAX_MS_A_HOST = 1000;

/** Throws when a host gave no answer, for a client that fails is cheap, and when the program does not end. */
export async function runOnce(
  each: Peer,
  hosts: number,
): Promise<{ readonly cpuUs: number; readonly wallMs: number; readonly peakKib: number }> {
  const running = startMetered(each.argv, {
    ...(each.stdin === undefined ? {} : { stdin: each.stdin }),
    ...(each.env === undefined ? {} : { env: each.env }),
  });
  let answered = 0;
  let counted = 0;
  let rest = "";
  running.stdout.setEncoding("utf8");
  running.stdout.on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const said = /^tick 0 (\d+)$/.exec(line);
      if (said !== null) counted = Number(said[1]);
      else if (line.startsWith("{")) answered += line.includes('"gpus":[{') ? 1 : 0;
      else if (line.includes("NVIDIA H100")) answered += 1 / 8;
    }
  });
  const limitMs = 60_000 + hosts * MAX_MS_A_HOST;
  const limit = AbortSignal.timeout(limitMs);
  limit.addEventListener("abort", () => running.kill());
  const ended = await running.ended;
  if (limit.aborted)
    throw new Error(`${each.name}: had not ended after ${limitMs / 1000} s: ${running.stderr()}`);
  const total = answered + counted / LINES_A_HOST;
  if (total !== hosts)
    throw new Error(`${each.name}: ${total} of ${hosts} hosts answered: ${running.stderr()}`);
  return ended;
}
