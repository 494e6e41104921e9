/** A large fleet for a long time: whether every host keeps its record of every tick, and whether memory stays flat. */
import { appendFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { makeTempDir } from "../../test/support/temp-dir.js";
import { availableMib, startFarm } from "../fleet/fleet.js";
import { makeRecordedShell } from "../fleet/recorded-shell.js";
import type { Figure } from "../measure/figures.js";
import { slopeOf } from "../measure/figures.js";
import { SoakRun } from "../measure/soak-run.js";
import type { Minute } from "../measure/soak-run.js";
import { RESULTS } from "../report.js";
import type { BenchOptions, Scenario } from "./scenario.js";

/** sshd and what it runs, for one session. */
const SERVER_MIB_A_HOST = 6;
const INTERVAL_SECS = 2;
/** Code and its caches have settled by then. */
const SETTLED_MINUTES = 5;
/** Shorter runs cannot tell growth from noise: theirs is shown and not judged. */
const JUDGED_MINUTES = 30;

export const soak: Scenario = {
  name: "soak",
  about: "2,000 hosts at 2 s for an hour",
  needs: "a C compiler for its recorded answers; 12 GiB of memory",
  takes: "70 minutes",
  isOnlyByName: true,
  async run(options) {
    const { say, server } = options;
    const asked = options.hosts ?? (options.quick ? 100 : 2000);
    const hosts = Math.min(asked, Math.floor((availableMib() * 0.8) / SERVER_MIB_A_HOST));
    const few = Math.max(1, Math.floor(hosts / 10));
    const temp = makeTempDir("bench");
    try {
      const shell = server === "shell" ? null : await makeRecordedShell(options.program, temp.path);
      const small = await soakOf(options, few, shell, 1, () => undefined);
      mkdirSync(RESULTS, { recursive: true });
      const file = join(RESULTS, `soak-${new Date().toISOString().replace(/[:.]/g, "-")}.ndjson`);
      say(`soak: ${hosts} hosts, a line a minute in ${file}`);
      const minutes = await soakOf(
        options,
        hosts,
        shell,
        options.minutes ?? (options.quick ? 2 : 60),
        (line) => {
          say(`soak ${inWords(line)}`);
          appendFileSync(
            file,
            `${JSON.stringify({ hosts, server: shell === null ? "shell" : server, ...line })}\n`,
          );
        },
      );
      const margin = (lastHeapKib(minutes) - lastHeapKib(small)) / (hosts - few);
      return {
        figures: figuresOf(minutes, hosts, margin),
        notes: [
          `soak: ${hosts} hosts at ${INTERVAL_SECS} s for ${minutes.length - 1} min, from when all had 3 frames; ${
            shell === null
              ? "real shells and the fake nvidia-smi"
              : "real sshds, a recording in the shells' place: an answer comes in one piece"
          }`,
          "soak: a host was late where an overrun is told on the watcher's own beat; all else without a frame is ours",
          ...(hosts < asked
            ? [`soak: capped at ${hosts} hosts: sshd needs about ${SERVER_MIB_A_HOST} MiB a session`]
            : []),
        ],
      };
    } finally {
      temp.remove();
    }
  },
};

/** The first of the minutes is the moment at which counting begins. */
async function soakOf(
  { program, peer, watcher }: BenchOptions,
  hosts: number,
  shell: string | null,
  minutes: number,
  tell: (minute: Minute) => void,
): Promise<readonly Minute[]> {
  const farm = await startFarm(hosts, shell === null ? {} : { shell });
  const run = new SoakRun(program, farm, INTERVAL_SECS, watcher === "main" ? peer("heap-after-gc") : null);
  try {
    const told: Minute[] = [];
    await run.begin();
    // A long run is not disturbed by a full collection every minute.
    const every = minutes >= 3 * SETTLED_MINUTES ? SETTLED_MINUTES : 1;
    for (let minute = 0; minute <= minutes; minute++) {
      const isLast = minute === minutes;
      const account = await run.minute(minute, {
        withHeap: watcher === "main" && (minute % every === 0 || isLast),
        isLast,
      });
      told.push(account);
      tell(account);
    }
    return told;
  } finally {
    await run.stop();
    await farm.stop();
  }
}

function figuresOf(minutes: readonly Minute[], hosts: number, margin: number): readonly Figure[] {
  const total = (of: (minute: Minute) => number): number => minutes.reduce((sum, each) => sum + of(each), 0);
  const late = total((minute) => minute.late);
  const missed = total(({ missedByUs }) => missedByUs);
  const frames = total((minute) => minute.frames);
  const length = minutes.length - 1;
  const from = Math.min(SETTLED_MINUTES, Math.floor(length / 2));
  const heap = minutes.flatMap(({ minute, heapKib }): [number, number][] =>
    heapKib === null || minute < from ? [] : [[minute, heapKib / hosts]],
  );
  const resident = minutes
    .filter(({ minute }) => minute >= from)
    .map(({ minute, rssMib }): [number, number] => [minute, (rssMib * 1024) / hosts]);
  const isJudged = length >= JUDGED_MINUTES;
  const one = (id: string, what: string, unit: string, value: number): Figure => ({
    id,
    what,
    unit,
    values: [value],
  });
  // By a straight line: one reading is off by what happened to be alive.
  const growth = (id: string, kind: string, kibByMinute: readonly [number, number][]): Figure =>
    one(
      isJudged ? id : `${id}.short`,
      `growth of ${kind} memory a session, minute ${from} to ${length}`,
      "KiB",
      slopeOf(kibByMinute) * (length - from),
    );
  const each = (id: string, what: string, unit: string, of: (minute: Minute) => number | null): Figure => ({
    id,
    what,
    unit,
    values: minutes.slice(1).flatMap((minute) => of(minute) ?? []),
  });
  return [
    one("soak.missed-by-us", "ticks of hosts without a frame, or with two records, by us", "", missed),
    one(
      "soak.missed-at-start",
      "the same without a record or with two, before all had 3 frames",
      "",
      total(({ missedAtStart }) => missedAtStart),
    ),
    one(
      "soak.late-share",
      "ticks of hosts whose answer was late, of a hundred",
      "%",
      (100 * late) / (frames + late + missed),
    ),
    ...(heap.length === 0
      ? [growth("soak.rss-growth", "resident", resident)]
      : [
          one("soak.kib-a-session", "live memory a session at the margin, at the end", "KiB", margin),
          growth("soak.heap-growth", "live", heap),
        ]),
    each(
      "soak.client-us",
      `client CPU a host and tick, ${hosts} hosts, by minutes`,
      "us",
      ({ clientUs }) => clientUs,
    ),
    each("soak.server-us", "server CPU a host and tick", "us", ({ serverUs }) => serverUs),
    each("soak.rss-mib", "resident memory", "MiB", ({ rssMib }) => rssMib),
    each(
      "soak.latest-ms",
      "the latest record of a minute after its tick began",
      "ms",
      ({ latestMs }) => latestMs,
    ),
  ];
}

function lastHeapKib(minutes: readonly Minute[]): number {
  return minutes.findLast(({ heapKib }) => heapKib !== null)?.heapKib ?? NaN;
}

function inWords(told: Minute): string {
  const us = (value: number | null): string => (value === null ? "-" : value.toFixed(0));
  const share = (100 * told.late) / Math.max(1, told.frames + told.late + told.missedByUs);
  return [
    `minute ${told.minute}: client ${us(told.clientUs)} us, server ${us(told.serverUs)} us`,
    `${told.rssMib.toFixed(0)} MiB resident`,
    ...(told.heapKib === null ? [] : [`${(told.heapKib / 1024).toFixed(1)} MiB alive`]),
    `${told.frames} frames, ${told.missedByUs} missed by us${
      told.missedByUs + told.missedAtStart === 0
        ? ""
        : ` ${JSON.stringify({ ...told.why, ...told.noRecordOf, atStart: told.missedAtStart })}`
    }`,
    `${share.toFixed(2)} % late, latest ${told.latestMs.toFixed(0)} ms`,
    `the checker took ${told.checkerCores.toFixed(3)} of a core and stood still for ${told.readerMs.toFixed(0)} ms, load ${told.load.toFixed(1)}`,
  ].join(", ");
}
