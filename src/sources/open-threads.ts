/** A live fleet on threads of its own, as a stream that this thread only writes, or draws as a table. */
import type { OperatorLog } from "../contract/operator-log.js";
import type { Options, OutputFormat } from "../contract/options.js";
import type { StreamRecord } from "../contract/record.js";
import type { WatchedTarget } from "../fleet/identity.js";
import type { Clock } from "../lib/clock.js";
import type { Stream } from "./source.js";
import { FleetThreads } from "./threads/fleet-threads.js";
import type { Share } from "./threads/messages.js";
import { shareOut, splitLimit } from "./threads/share-out.js";

export interface ThreadsOptions {
  readonly threadProgram: URL;
  readonly clock: Clock;
  /** When the run began, by the clock's monotonic time. */
  readonly beginMs: number;
  readonly count: number;
  readonly log: OperatorLog;
  readonly signal: AbortSignal;
}

export function openThreads(
  options: Options,
  watched: readonly WatchedTarget[],
  format: OutputFormat,
  { threadProgram, clock, beginMs, count, log, signal }: ThreadsOptions,
): Stream {
  const { ssh, sample, intervalMs, length, csvSections, query, failOn, verbosity } = options;
  const lists = shareOut(watched, count);
  const limits = splitLimit(ssh.concurrency, lists.length);
  // Records that come over are counted and told of here.
  const isDrawn = format === "table";
  const shares = lists.map((list, position): Share => ({
    watched: list,
    options: {
      ...{ sample, intervalMs, length, csvSections, query },
      ssh: { ...ssh, concurrency: limits[position] ?? 1 },
      failOn: isDrawn ? [] : failOn,
      verbosity: isDrawn ? "normal" : verbosity,
    },
    format: isDrawn ? "ndjson" : format,
    beganAtMs: performance.timeOrigin + beginMs,
  }));
  const threads = FleetThreads.start(shares, { program: threadProgram, clock, log, signal });
  const hostCount = watched.length;
  const close = async (): Promise<void> => {
    await threads.return();
  };
  return isDrawn
    ? { kind: "records", batches: recordsOf(threads), hostCount, close }
    : { kind: "lines", texts: threads, counts: () => threads.counts, hostCount, close };
}

async function* recordsOf(threads: FleetThreads): AsyncGenerator<readonly StreamRecord[], void> {
  for (;;) {
    const step = await threads.next();
    if (step.done === true) return;
    const lines = Buffer.from(step.value).toString().trimEnd().split("\n");
    yield lines.map((line) => JSON.parse(line) as StreamRecord);
  }
}
