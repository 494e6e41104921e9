/** The one door to a run's records: a recording, the demo fleet, or live hosts. */
import { createReadStream } from "node:fs";
import type { OperatorLog } from "../contract/operator-log.js";
import type { Options, StreamFormat } from "../contract/options.js";
import type { StreamRecord } from "../contract/record.js";
import { labelColumns } from "../format/label-columns.js";
import { openLive } from "./live-hosts.js";
import type { RecordBatches, SourceDeps, Stream } from "./source.js";

/** Throws ConfigError or UsageError before anything is connected. The records end soon after the signal aborts. */
export async function openStream(
  options: Options,
  format: StreamFormat,
  deps: SourceDeps,
  log: OperatorLog,
  signal: AbortSignal,
): Promise<Stream> {
  const { source } = options;
  if (source.kind === "replay") {
    const { replay } = await import("./replay.js");
    const input = source.file === "-" ? deps.stdin : createReadStream(source.file);
    const name = source.file === "-" ? "<stdin>" : source.file;
    const { clock } = deps;
    const all = replay({ source: input, name, speed: source.speed, clock, signal, warn: log.warn });
    // Nothing but CSV's header needs them, and the first records may be long in coming.
    const { batches, first } = format === "csv" ? await withFirst(all) : { batches: all, first: [] };
    const labelNames = labelColumns(first);
    const hostNames = new Map<string, string>();
    return {
      kind: "records",
      batches,
      hostCount: null,
      hostNames,
      labelNames,
      close: () => Promise.resolve(),
    };
  }
  if (source.kind === "targets") return openLive(options, source.targets, format, deps, log, signal);
  const { startDemo } = await import("./demo/demo.js");
  const demo = await startDemo(deps.screenRows ?? null);
  const ssh = demo.ssh(options.ssh);
  const opening = openLive({ ...options, ssh }, demo.targets, format, deps, log, signal);
  const fleet = await opening.catch(async (error: unknown) => {
    await demo.close();
    throw error;
  });
  return {
    ...fleet,
    close: async () => {
      await fleet.close();
      await demo.close();
    },
  };
}

/** The first batch, and the same batches with it. Throws what the first one throws. */
async function withFirst(
  batches: RecordBatches,
): Promise<{ readonly batches: RecordBatches; readonly first: readonly StreamRecord[] }> {
  const step = await batches.next();
  const first = step.done === true ? [] : step.value;
  async function* again(): RecordBatches {
    if (first.length > 0) yield first;
    yield* batches;
  }
  return { batches: again(), first };
}
