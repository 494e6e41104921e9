/** What threads gain when a fleet is connected to: one frame of each host by the main thread alone, and by two threads. */
import { makeTempDir } from "../../test/support/temp-dir.js";
import { oursArgv, startFarm } from "../fleet/fleet.js";
import type { Farm } from "../fleet/fleet.js";
import { makeRecordedShell } from "../fleet/recorded-shell.js";
import { inTurn, Rounds } from "../measure/figures.js";
import type { Figure } from "../measure/figures.js";
import { slowCore } from "../measure/slow-core.js";
import { runOnce } from "./one-shot.js";
import type { Scenario } from "./scenario.js";

/** Of a core, for each thread that works: the servers beside it are five times as fast. */
const SLOWED_TO = 0.2;

/** `--workers`, and where the servers are. */
type Way = readonly [name: string, workers: number, place: "beside the servers" | "servers elsewhere"];
const WAYS: readonly Way[] = [
  ["one", 0, "beside the servers"],
  ["two", 2, "beside the servers"],
  ["one, slowed", 0, "servers elsewhere"],
  ["two, slowed", 2, "servers elsewhere"],
];

export const workers: Scenario = {
  name: "workers",
  about: "one frame of each host by one thread and by two",
  needs: "a C compiler",
  takes: "10 minutes",
  isOnlyByName: true,
  async run({ hosts, runs, quick, program, say }) {
    const count = hosts ?? (quick ? 40 : 500);
    const temp = makeTempDir("bench");
    const recorded = await makeRecordedShell(program, temp.path);
    const farm = await startFarm(count);
    const cheapFarm = recorded === null ? farm : await startFarm(count, { shell: recorded });
    const canSlow = slowCore(SLOWED_TO);
    canSlow?.remove();
    const ways = canSlow === null ? WAYS.slice(0, 2) : WAYS;
    const wall = new Rounds();
    const client = new Rounds();
    const server = new Rounds();
    const peak = new Rounds();
    try {
      for (let round = 0; round < (runs ?? (quick ? 1 : 3)); round++) {
        for (const [name, threads, place] of inTurn(ways, round)) {
          const where = place === "servers elsewhere" ? cheapFarm : farm;
          const before = where.serverCpuUs();
          const ran = await once(program, where, threads, place === "servers elsewhere");
          server.add(name, (where.serverCpuUs() - before) / 1e6);
          wall.add(name, ran.wallMs / 1000);
          client.add(name, ran.cpuUs / 1e6);
          peak.add(name, ran.peakKib / 1024);
          say(
            `workers ${name}: wall ${(ran.wallMs / 1000).toFixed(1)} s, client ${(ran.cpuUs / 1e6).toFixed(2)} s, server ${server.of(name).at(-1)?.toFixed(2) ?? ""} s, ${(ran.peakKib / 1024).toFixed(0)} MiB`,
          );
        }
      }
      const all: readonly (readonly [string, string, Rounds, string])[] = [
        ["wall", "wall time", wall, "s"],
        ["client", "client CPU", client, "s"],
        ["server", "server CPU", server, "s"],
        ["peak", "peak memory", peak, "MiB"],
      ];
      const figures = all.flatMap(([id, what, values, unit]): Figure[] => [
        ...["", ", slowed"].map((suffix) => ({
          id: `workers.${id}${suffix === "" ? "" : ".slowed"}`,
          what: `${what}, two / one${suffix}`,
          unit: "x",
          values: values.ratios(`two${suffix}`, `one${suffix}`),
        })),
        ...ways.map(([name]) => ({
          id: `workers.${id}-of.${name.replace(", ", "-")}`,
          what: `${what}, ${name}`,
          unit,
          values: values.of(name),
        })),
      ]);
      return {
        figures: figures.filter(({ values }) => values.length > 0),
        notes: [
          `workers: one frame of ${count} hosts; "one" is --workers 0, "two" --workers 2`,
          canSlow === null
            ? "workers: no quota can be set here, so nothing tells what a machine with more cores would gain"
            : `workers, slowed: each thread that connects has ${SLOWED_TO} of a core and the servers, which answer from a recording, have the rest: as on a machine with a core for each and hosts elsewhere, in slow motion`,
        ],
      };
    } finally {
      await farm.stop();
      if (cheapFarm !== farm) await cheapFarm.stop();
      temp.remove();
    }
  },
};

async function once(
  program: string,
  farm: Farm,
  threads: number,
  isSlowed: boolean,
): Promise<{ readonly wallMs: number; readonly cpuUs: number; readonly peakKib: number }> {
  const core = isSlowed ? slowCore(SLOWED_TO * Math.max(1, threads)) : null;
  try {
    const argv = oursArgv(program, farm, ["--once", "--workers", String(threads)]);
    const name = `ours, --workers ${threads}`;
    return await runOnce({ name, argv: [...(core?.prefix ?? []), ...argv] }, farm.addresses.length);
  } finally {
    core?.remove();
  }
}
