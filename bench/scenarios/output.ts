/** A tick of a thousand hosts with eight GPUs each as text: NDJSON beside JSON.stringify, CSV, the table's redraw, metrics. */
import type { FrameRecord, StreamRecord } from "../../src/contract/record.js";
import { createFormatter } from "../../src/format/create-formatter.js";
import { DEFAULT_TABLE } from "../../src/contract/table-options.js";
import type { Formatter, FormatterOptions } from "../../src/format/formatter.js";
import { exposition } from "../../src/format/prometheus/exposition.js";
import { FleetState } from "../../src/format/prometheus/fleet-state.js";
import { oursArgv, startFarm } from "../fleet/fleet.js";
import { startMetered } from "../measure/cpu-meter.js";
import { Rounds } from "../measure/figures.js";
import type { Scenario } from "./scenario.js";

const TABLE: Pick<FormatterOptions, "terminal"> = {
  terminal: { size: () => ({ columns: 200, rows: 60 }), onResize: () => () => undefined },
};

export const output: Scenario = {
  name: "output",
  about: "formats at 1,000 hosts with 8 GPUs",
  takes: "2 minutes",
  async run({ hosts, runs, quick, program }) {
    const count = hosts ?? 1000;
    const frames = Array.from({ length: count }, () => undefined).map(await oneFrame(program));
    const options: FormatterOptions = {
      csvSections: ["gpu"],
      query: [],
      color: true,
      terminal: null,
      hostCount: count,
      isOnce: false,
    };
    const ndjson = await createFormatter("ndjson", options);
    const csv = await createFormatter("csv", options);
    const table = await createFormatter("table", { ...options, ...TABLE });
    const view = { ...DEFAULT_TABLE, view: "hosts" } as const;
    const hostTable = await createFormatter("table", { ...options, ...TABLE, table: view });
    // A row that is as it was is not made anew: each tick has other readings.
    const ticks = [frames, frames.map(withOtherReadings)];
    const redrawn = (formatter: Formatter, round: number): string => {
      formatter.screen?.absorb(ticks[round % ticks.length] ?? []);
      return formatter.format([]);
    };
    const stringify = (records: readonly StreamRecord[]): string => {
      let text = "";
      for (const record of records) text += `${JSON.stringify(record)}\n`;
      return text;
    };
    const fleet = new FleetState();
    let largestPiece = 0;
    // As they are served: piece by piece.
    const metrics = (): { readonly length: number } => {
      fleet.absorb(frames, 0);
      let length = 0;
      for (const piece of exposition(fleet.views(0), "openmetrics")) {
        length += piece.length;
        largestPiece = Math.max(largestPiece, piece.length);
      }
      return { length };
    };
    const ways: readonly (readonly [string, (round: number) => { readonly length: number }])[] = [
      ["stringify", () => stringify(frames)],
      ["ndjson", () => ndjson.bytes?.(frames) ?? ndjson.format(frames)],
      ["csv", () => csv.format(frames)],
      ["table", (round) => redrawn(table, round)],
      ["table of hosts", (round) => redrawn(hostTable, round)],
      ["metrics", metrics],
    ];
    const ms = new Rounds();
    for (let round = 0; round < (runs ?? (quick ? 3 : 15)) + 3; round++) {
      for (const [name, act] of ways) {
        const begun = process.cpuUsage();
        const length = act(round).length;
        const { user, system } = process.cpuUsage(begun);
        if (length === 0) throw new Error(`${name} wrote nothing`);
        if (round >= 3) ms.add(name, (user + system) / 1000);
      }
    }
    return {
      figures: [
        {
          id: "output.ndjson-over-stringify",
          what: "NDJSON / JSON.stringify",
          unit: "x",
          values: ms.ratios("ndjson", "stringify"),
        },
        {
          id: "output.csv-over-stringify",
          what: "CSV / JSON.stringify",
          unit: "x",
          values: ms.ratios("csv", "stringify"),
        },
        {
          id: "output.table-over-stringify",
          what: "a table's redraw / JSON.stringify",
          unit: "x",
          values: ms.ratios("table", "stringify"),
        },
        {
          id: "output.table-hosts-over-stringify",
          what: "a table's redraw with a line a host / JSON.stringify",
          unit: "x",
          values: ms.ratios("table of hosts", "stringify"),
        },
        {
          id: "output.metrics-over-stringify",
          what: "metrics / JSON.stringify",
          unit: "x",
          values: ms.ratios("metrics", "stringify"),
        },
        {
          id: "output.metrics-piece-kib-a-host",
          what: "the largest piece of metrics that is in memory at once, a host",
          unit: "KiB",
          values: [largestPiece / 1024 / count],
        },
        {
          id: "output.metrics-ms",
          what: `metrics of ${count} hosts, one scrape`,
          unit: "ms",
          values: ms.of("metrics"),
        },
        { id: "output.ndjson-ms", what: `NDJSON of ${count} frames`, unit: "ms", values: ms.of("ndjson") },
        { id: "output.csv-ms", what: `CSV of ${count} frames`, unit: "ms", values: ms.of("csv") },
        {
          id: "output.table-ms",
          what: `a table of ${count} hosts, redrawn`,
          unit: "ms",
          values: ms.of("table"),
        },
      ],
    };
  },
};

function withOtherReadings(record: StreamRecord): StreamRecord {
  if (record.record !== "frame" || record.gpus === undefined) return record;
  const gpus = record.gpus.map((gpu) => ({
    ...gpu,
    utilization: 100 - (gpu.utilization ?? 0),
    temperature: (gpu.temperature ?? 0) + 1,
  }));
  return { ...record, gpus };
}

/** A frame that our program gave, told as coming from many hosts. */
async function oneFrame(program: string): Promise<(_: unknown, host: number) => StreamRecord> {
  const farm = await startFarm(1);
  const running = startMetered(oursArgv(program, farm, ["--once"]));
  let text = "";
  running.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
  await running.ended;
  await farm.stop();
  const frame = JSON.parse(text) as FrameRecord;
  return (_, host) => ({
    ...(structuredClone(frame) satisfies StreamRecord),
    host_id: `watcher@node-${host}:22`,
    hostname: `node-${host}`,
  });
}
