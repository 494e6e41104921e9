/** From ten hosts to two thousand: CPU a tick, memory, missed ticks, and how they grow. */
import { availableMib, startFarm } from "../fleet/fleet.js";
import { exponentOf, slopeOf } from "../measure/figures.js";
import type { Figure } from "../measure/figures.js";
import { ON_MAIN_THREAD, sleep, spanOf, startWatch } from "../measure/watch-run.js";
import type { Scenario } from "./scenario.js";
import { intervalFor } from "./steady.js";

const SIZES = [10, 30, 100, 300, 1000, 2000];
/** What sshd takes for a session, with its shell. */
const SERVER_MIB_A_HOST = 6;
const TICKS = 5;

interface Point {
  readonly hosts: number;
  /** Microseconds a tick of the whole fleet. */
  readonly cpuUs: number;
  readonly heapKib: number;
  readonly rssKib: number;
  readonly missed: number;
}

export const growth: Scenario = {
  name: "growth",
  about: "10 to 2,000 hosts",
  needs: "12 GiB of memory",
  takes: "20 to 40 minutes",
  async run({ hosts, quick, program, peer, say }) {
    const most = Math.min(
      hosts ?? (quick ? 100 : 2000),
      Math.floor((availableMib() * 0.8) / SERVER_MIB_A_HOST),
    );
    const sizes = [...SIZES.filter((size) => size < most), most];
    const points: Point[] = [];
    for (const size of sizes) {
      const point = await measure(program, size, peer("heap-after-gc"));
      say(
        `growth ${size}: ${(point.cpuUs / size).toFixed(0)} us a host, ${(point.heapKib / 1024).toFixed(1)} MiB of heap, ${(point.rssKib / 1024).toFixed(0)} MiB resident, ${point.missed} missed`,
      );
      points.push(point);
    }
    const large = points.filter((point) => point.hosts >= 100);
    const over = (value: (point: Point) => number, of = large): [number, number][] =>
      of.map((point) => [point.hosts, value(point)]);
    const figures: Figure[] = [
      {
        id: "growth.missed-ticks",
        what: "readings that we missed or got late",
        unit: "",
        values: [points.reduce((sum, { missed }) => sum + missed, 0)],
      },
    ];
    if (large.length > 1) {
      figures.push(
        {
          id: "growth.cpu-exponent",
          what: `exponent of CPU, 100 to ${most} hosts`,
          unit: "",
          values: [exponentOf(over(({ cpuUs }) => cpuUs))],
        },
        {
          id: "growth.memory-exponent",
          what: `exponent of memory, 100 to ${most} hosts`,
          unit: "",
          values: [exponentOf(over(({ rssKib }) => rssKib))],
        },
        {
          id: "growth.kib-a-session",
          what: "live memory a session at the margin",
          unit: "KiB",
          values: [slopeOf(over(({ heapKib }) => heapKib))],
        },
        {
          id: "growth.rss-kib-a-session",
          what: "resident memory a session at the margin, garbage included",
          unit: "KiB",
          values: [slopeOf(over(({ rssKib }) => rssKib))],
        },
      );
    }
    return {
      figures,
      series: [
        {
          id: "growth.cpu",
          what: "CPU a tick of the fleet",
          unit: "ms",
          points: over(({ cpuUs }) => cpuUs / 1000, points),
        },
        {
          id: "growth.rss",
          what: "Resident memory",
          unit: "MiB",
          points: over(({ rssKib }) => rssKib / 1024, points),
        },
      ],
      notes:
        most < (hosts ?? 2000) && !quick
          ? [`growth: capped at ${most} hosts: sshd needs about ${SERVER_MIB_A_HOST} MiB a session`]
          : [],
    };
  },
};

async function measure(program: string, hosts: number, heapAfterGc: string): Promise<Point> {
  const farm = await startFarm(hosts);
  const intervalSecs = intervalFor(hosts);
  const node = ["--expose-gc", "--import", `file://${heapAfterGc}`];
  const run = startWatch(program, farm, { intervalSecs, node, args: ON_MAIN_THREAD });
  try {
    await run.warm(3, 60_000 + hosts * 200 + intervalSecs * 10_000);
    const from = run.mark();
    await sleep(TICKS * intervalSecs * 1000);
    const to = run.mark();
    const span = spanOf(from, to);
    const { heapUsed, external } = await run.memory();
    return {
      hosts,
      cpuUs: span.clientUs * hosts,
      heapKib: (heapUsed + external) / 1024,
      rssKib: to.rssKib,
      missed: span.missed,
    };
  } finally {
    await run.stop();
    await farm.stop();
  }
}
