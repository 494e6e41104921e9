/**
 * What a tick and a first reading cost the watched host: CPU, processes and bytes, of this build and of another in turn,
 * and of each section of this build by itself; beside them one query of the tool by a shell. nvidia-smi is the stand-in, so
 * its own work is not in it. CPU time and counts of processes do not depend on what else the machine does.
 */
import { mkdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { TICK_SECTIONS } from "../../src/contract/record.js";
import { makeTempDir } from "../../test/support/temp-dir.js";
import { oursArgv, startFarm, type Farm } from "../fleet/fleet.js";
import { startMetered, type Metered } from "../measure/cpu-meter.js";
import { inTurn, Rounds, type Figure } from "../measure/figures.js";
import {
  makeRecordingShell,
  removeRecordings,
  scriptCost,
  scriptProcesses,
  takeFirstScript,
  takeRecording,
  tickCost,
  tickProcesses,
  type Session,
} from "../measure/recorded-session.js";
import type { BenchOptions, Scenario } from "./scenario.js";

/** What is asked seldom is asked before these are over. */
const RECORDED_TICKS = 8;
const TRACED_TICKS = 20;

export const hostCost: Scenario = {
  name: "host-cost",
  about: "CPU, processes and bytes of a tick and of a first reading on the watched host",
  takes: "3 minutes",
  async run(options) {
    const temp = makeTempDir("bench-host-cost");
    const recordings = join(temp.path, "recordings");
    const farm = await startFarm(1, { shell: makeRecordingShell(recordings) });
    const path = [farm.gpus.bin, "/usr/bin", "/bin", "/usr/sbin", "/sbin"].join(delimiter);
    const rounds = new Rounds();
    try {
      const sessions: (readonly [string, Session])[] = [];
      for (const [name, program, args] of watchesOf(options)) {
        await watch(program, farm, args);
        sessions.push([name, takeRecording(recordings)]);
      }
      const firsts: (readonly [string, string])[] = [[BARE, farm.gpus.command]];
      for (const [name, program, args] of firstReadingsOf(options)) {
        await watchOnce(program, farm, args);
        firsts.push([name, takeFirstScript(recordings)]);
      }
      for (const [name, program, args] of warmReadingsOf(options)) {
        const cache = join(temp.path, name.replaceAll(" ", "-"));
        mkdirSync(cache);
        // The first run keeps facts, the second has them in its script.
        for (let run = 0; run < 2; run++) {
          removeRecordings(recordings);
          await watchOnce(program, farm, args, { XDG_CACHE_HOME: cache });
        }
        firsts.push([name, takeFirstScript(recordings)]);
      }
      const count = options.quick ? 60 : 300;
      for (let round = 0; round < (options.runs ?? (options.quick ? 1 : 7)); round++) {
        for (const [name, session] of inTurn(sessions, round)) {
          const { cpuUs, bytes } = await tickCost(session, count, path);
          rounds.add(`${name} us`, cpuUs);
          rounds.add(`${name} bytes`, bytes);
          options.say(`host-cost ${name}: ${cpuUs.toFixed(0)} us`);
        }
        for (const [name, script] of inTurn(firsts, round)) {
          const { cpuUs, bytes } = await scriptCost(script, count / 10, path);
          rounds.add(`${name} us`, cpuUs);
          rounds.add(`${name} bytes`, bytes);
          options.say(`host-cost ${name}: ${cpuUs.toFixed(0)} us`);
        }
      }
      for (const [name, session] of sessions) {
        const processes = tickProcesses(session, TRACED_TICKS, path);
        if (processes === null) continue;
        rounds.add(`${name} forks`, processes.forks);
        rounds.add(`${name} programs`, processes.programs);
      }
      for (const [name, script] of firsts) {
        const processes = scriptProcesses(script, path);
        if (processes === null) continue;
        rounds.add(`${name} forks`, processes.forks);
        rounds.add(`${name} programs`, processes.programs);
      }
      const names = [...sessions, ...firsts].map(([name]) => name);
      return {
        figures: [
          ...names.flatMap((name) => figuresOf(name, rounds)),
          {
            id: "host-cost.ours-over-against",
            what: "CPU of a tick of default sections, this build / the other",
            unit: "x",
            values: rounds.ratios("ours us", "against us"),
          },
          ...ratiosOfFirsts(rounds),
        ].filter(({ values }) => values.length > 0),
        notes: [
          `host-cost: ${count} ticks in a run, one after the other`,
          ...(rounds.has("ours forks") ? [] : ["host-cost: no strace, so processes are not counted"]),
        ],
      };
    } finally {
      await farm.stop();
      temp.remove();
    }
  },
};

type Watch = readonly [name: string, program: string, args: readonly string[]];

/** Default sections of both builds, and each section of this one. The kernel log is asked by questions of its own. */
function watchesOf({ program, against }: BenchOptions): readonly Watch[] {
  return [
    ["ours", program, []],
    ...(against === null ? [] : [["against", against, []] as const]),
    ...TICK_SECTIONS.map((section): Watch => [section, program, ["--include", section]]),
  ];
}

const BARE = "a bare query";
const FIRST = "first reading";
const FIRST_AGAINST = "first reading against";
const FIRST_GPU = "first reading of gpu";

/** Of one reading: default sections of both builds, and the GPUs alone of this one. */
function firstReadingsOf({ program, against }: BenchOptions): readonly Watch[] {
  return [
    [FIRST, program, []],
    ...(against === null ? [] : [[FIRST_AGAINST, against, []] as const]),
    [FIRST_GPU, program, ["--include", "gpu"]],
  ];
}

const WARM = "first reading with kept facts";
const WARM_GPU = "first reading of gpu with kept facts";

/** The same with the facts that a run before has kept. */
function warmReadingsOf({ program }: BenchOptions): readonly Watch[] {
  return [
    [WARM, program, []],
    [WARM_GPU, program, ["--include", "gpu"]],
  ];
}

function ratiosOfFirsts(rounds: Rounds): readonly Figure[] {
  const pairs = [
    ["first-over-bare", FIRST, BARE],
    ["first-gpu-over-bare", FIRST_GPU, BARE],
    ["warm-over-bare", WARM, BARE],
    ["warm-gpu-over-bare", WARM_GPU, BARE],
    ["warm-over-first", WARM, FIRST],
    ["first-over-against", FIRST, FIRST_AGAINST],
  ] as const;
  return pairs.map(([id, over, under]) => ({
    id: `host-cost.${id}`,
    what: `CPU: ${over} / ${under}`,
    unit: "x",
    values: rounds.ratios(`${over} us`, `${under} us`),
  }));
}

/** Facts are kept where `env` has a folder for them. */
async function watchOnce(
  program: string,
  farm: Farm,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<void> {
  await ended(startMetered(oursArgv(program, farm, ["--once", ...args]), { env }));
}

async function watch(program: string, farm: Farm, args: readonly string[]): Promise<void> {
  const ticks = ["--interval", "0.3", "--count", String(RECORDED_TICKS)];
  await ended(startMetered(oursArgv(program, farm, [...ticks, ...args])));
}

async function ended(run: Metered): Promise<void> {
  run.stdout.resume();
  const { code } = await run.ended;
  // 4: the host has errors, as the stand-in knows no processes.
  if (code !== 0 && code !== 4) throw new Error(`host-cost: ${run.stderr()}`);
}

function figuresOf(name: string, rounds: Rounds): readonly Figure[] {
  const id = `host-cost.${name.replaceAll(" ", "-")}`;
  const isSection = TICK_SECTIONS.some((section) => section === name);
  const what =
    name === "ours" || name === "against" ? `tick, ${name}` : isSection ? `tick, ${name} alone` : name;
  return [
    { id: `${id}.us`, what: `CPU: ${what}`, unit: "us", values: rounds.of(`${name} us`) },
    { id: `${id}.forks`, what: `forks: ${what}`, unit: "", values: rounds.of(`${name} forks`) },
    { id: `${id}.programs`, what: `programs: ${what}`, unit: "", values: rounds.of(`${name} programs`) },
    { id: `${id}.bytes`, what: `bytes: ${what}`, unit: "B", values: rounds.of(`${name} bytes`) },
  ];
}
