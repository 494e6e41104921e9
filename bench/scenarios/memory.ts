/** What the program keeps in memory by the number of hosts, beside a node that does nothing and `all-smi view --ssh`. */
import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { makeTempDir } from "../../test/support/temp-dir.js";
import { availableMib, oursArgv, startFarm, type Farm } from "../fleet/fleet.js";
import { makeRecordedShell } from "../fleet/recorded-shell.js";
import { startMetered } from "../measure/cpu-meter.js";
import { Rounds, slopeOf, spreadOf, type Figure } from "../measure/figures.js";
import { residentOf, type Resident } from "../measure/resident.js";
import { cannotView, startViewing } from "../measure/viewing-peer.js";
import { ON_MAIN_THREAD, sleep, startWatch } from "../measure/watch-run.js";
import type { BenchOptions, Scenario } from "./scenario.js";

const SIZES = [1, 50, 500];
/** A session is counted between these two, where the program's own code weighs nothing. */
const FEW = 50;
/** sshd with what it runs, for one session. */
const SERVER_MIB_A_HOST = 6;
const INTERVAL_SECS = 2;
/** So many readings of all hosts together have been taken, and of each at least MIN_TICKS: the code has been compiled. */
const READINGS = 2000;
const MIN_TICKS = 6;
const MAX_TICKS = 30;
const IDLE_MS = 4000;

export const memory: Scenario = {
  name: "memory",
  about: "resident and live memory at 0, 1, 50 and 500 hosts",
  takes: "5 minutes",
  async run(options) {
    const { quick, say } = options;
    const most = Math.min(
      options.hosts ?? (quick ? 20 : 500),
      Math.floor((availableMib() * 0.8) / SERVER_MIB_A_HOST),
    );
    const sizes = [...SIZES.filter((size) => size < most), most];
    const temp = makeTempDir("bench-memory");
    const rounds = new Rounds();
    const add = (name: string, { all, files }: Resident): void => {
      rounds.add(`${name} resident`, all / 1024);
      rounds.add(`${name} files`, files / 1024);
      say(`memory ${name}: ${(all / 1024).toFixed(1)} MiB, ${(files / 1024).toFixed(1)} of them of files`);
    };
    const notes: string[] = [];
    try {
      const shell = await makeRecordedShell(options.program, temp.path);
      for (let round = 0; round < (options.runs ?? (quick ? 1 : 3)); round++) {
        add("node", await idle([process.execPath, "-e", "setInterval(() => undefined, 1e6)"]));
        add("0", await withoutHosts(options, temp.path));
        for (const size of sizes) {
          const farm = await startFarm(size, shell === null ? {} : { shell });
          try {
            add(String(size), await residentAt(options, farm));
            const { heapUsed, arrayBuffers, young } = await heapAt(options, farm);
            rounds.add(`${size} live`, (heapUsed + arrayBuffers) / 1024);
            rounds.add(`${size} young`, young / 1024 / 1024);
            say(`memory ${size}: ${((heapUsed + arrayBuffers) / 1024 / 1024).toFixed(1)} MiB are alive`);
          } finally {
            await farm.stop();
          }
          const note = await viewedAt(size, (resident) => add(`all-smi ${size}`, resident));
          if (note !== null && round === 0) notes.push(`memory: ${note}`);
        }
      }
      return {
        figures: [
          ...figuresOf("node", "a node that does nothing", rounds),
          ...figuresOf("0", "no host answers", rounds),
          ...sizes.flatMap((size) => figuresOf(String(size), hosts(size), rounds)),
          ...sizes.flatMap((size) => figuresOf(`all-smi ${size}`, `all-smi view, ${hosts(size)}`, rounds)),
          ...slopes(sizes, rounds),
        ],
        notes: [
          ...new Set(notes),
          `memory: ${INTERVAL_SECS} s interval, default sections; live memory is that of one thread after a collection, and of the young space the one before it`,
        ],
      };
    } finally {
      temp.remove();
    }
  },
};

function hosts(count: number): string {
  return count === 1 ? "1 host" : `${count} hosts`;
}

/** By default: of 100 hosts and more, the thread that watches them is in it. */
async function residentAt({ program }: BenchOptions, farm: Farm): Promise<Resident> {
  const run = startWatch(program, farm, { intervalSecs: INTERVAL_SECS });
  try {
    await run.warm(ticksFor(farm), limitFor(farm));
    return await medianOf(run.pid);
  } finally {
    await run.stop();
  }
}

async function heapAt({ program, peer }: BenchOptions, farm: Farm) {
  const node = ["--expose-gc", "--import", `file://${peer("heap-after-gc")}`];
  const run = startWatch(program, farm, { intervalSecs: INTERVAL_SECS, node, args: ON_MAIN_THREAD });
  try {
    await run.warm(ticksFor(farm), limitFor(farm));
    return await run.memory();
  } finally {
    await run.stop();
  }
}

function ticksFor({ addresses }: Farm): number {
  return Math.min(MAX_TICKS, Math.max(MIN_TICKS, Math.ceil(READINGS / addresses.length)));
}

function limitFor(farm: Farm): number {
  return 60_000 + farm.addresses.length * 200 + ticksFor(farm) * INTERVAL_SECS * 3000;
}

/** Over more than a tick: garbage comes and goes. */
async function medianOf(pid: number): Promise<Resident> {
  const seen: Resident[] = [];
  for (let at = 0; at < 12; at++) {
    await sleep(500);
    seen.push(residentOf(pid));
  }
  const median = (of: (resident: Resident) => number): number => spreadOf(seen.map(of)).median;
  return { all: median(({ all }) => all), files: median(({ files }) => files) };
}

/** A host whose port is closed: the program, its clock and its retries, and no session. */
async function withoutHosts({ program }: BenchOptions, dir: string): Promise<Resident> {
  const hostfile = join(dir, "closed.txt");
  writeFileSync(hostfile, `nobody@127.0.0.1:${await closedPort()}\n`);
  const none = join(dir, "none");
  writeFileSync(none, "");
  const farm = { hostfile, keyFile: none, knownHostsFile: none };
  return idle(oursArgv(program, farm, ["--interval", String(INTERVAL_SECS)]));
}

async function idle(argv: readonly string[]): Promise<Resident> {
  const running = startMetered(argv);
  running.stdout.resume();
  try {
    await sleep(IDLE_MS);
    return residentOf(running.pid);
  } finally {
    running.kill();
    await running.ended;
  }
}

async function closedPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (typeof address !== "object" || address === null) throw new Error("no port");
  return address.port;
}

/** Why it was not measured; null where it was. It asks real shells: no recording has its commands. */
async function viewedAt(size: number, add: (resident: Resident) => void): Promise<string | null> {
  const farm = await startFarm(size);
  try {
    const why = cannotView(farm);
    if (why !== null) return why;
    const peer = startViewing(farm, INTERVAL_SECS);
    try {
      await peer.rounds(MIN_TICKS);
      add(residentOf(peer.viewerPid()));
      return null;
    } finally {
      await peer.stop();
    }
  } finally {
    await farm.stop();
  }
}

function figuresOf(name: string, what: string, rounds: Rounds): readonly Figure[] {
  const id = `memory.${name.replaceAll(" ", "-")}`;
  const live = rounds.of(`${name} live`).map((kib) => kib / 1024);
  return [
    { id: `${id}.resident`, what: `resident: ${what}`, unit: "MiB", values: rounds.of(`${name} resident`) },
    { id: `${id}.files`, what: `pages of files: ${what}`, unit: "MiB", values: rounds.of(`${name} files`) },
    { id: `${id}.young`, what: `young space: ${what}`, unit: "MiB", values: rounds.of(`${name} young`) },
    { id: `${id}.live`, what: `live: ${what}`, unit: "MiB", values: live },
  ].filter(({ values }) => values.length > 0);
}

/** What one more session takes, in KiB. */
function slopes(sizes: readonly number[], rounds: Rounds): readonly Figure[] {
  const over = sizes.filter((size) => size >= FEW);
  const slope = (id: string, what: string, kind: string, scale: number): Figure => ({
    id,
    what,
    unit: "KiB",
    values: rounds
      .of(`${over[0]} ${kind}`)
      .map((_, at) => slopeOf(over.map((size) => [size, (rounds.of(`${size} ${kind}`)[at] ?? NaN) * scale]))),
  });
  if (over.length < 2) return [];
  return [
    slope("memory.kib-a-session", "live memory of a further session", "live", 1),
    slope("memory.resident-kib-a-session", "resident memory of a further session", "resident", 1024),
  ];
}
