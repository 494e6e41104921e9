/** `--listen`: takes the records that pass by, and serves the latest state of the fleet. */
import type { ReportFault } from "../contract/errors.js";
import type { ListenAddress } from "../contract/options.js";
import type { StreamRecord } from "../contract/record.js";
import { isRemoval } from "../contract/removed.js";
import { exposition } from "../format/prometheus/exposition.js";
import { FleetState } from "../format/prometheus/fleet-state.js";
import type { Clock } from "../lib/clock.js";
import { mapAsync } from "../lib/map-async.js";
import { serveMetrics } from "./http-server.js";

type Batches = AsyncIterableIterator<readonly StreamRecord[], void>;

export interface Exporter {
  /** Where metrics are served, as `http://127.0.0.1:9400/metrics`. */
  readonly url: string;
  /** The same batches, of which each record is served from now on. `hostCount` null: not known, as in a replay. */
  watch(batches: Batches, hostCount: number | null): Batches;
  close(): Promise<void>;
}

export interface ExporterOptions {
  readonly listen: ListenAddress;
  readonly intervalMs: number;
  readonly clock: Clock;
  readonly fault: ReportFault;
}

/** Each tick has a record of each host. A host that has had none for so many intervals is not watched at present. */
const STALE_INTERVALS = 3;
/** The least of it: a busy moment of this machine makes no host stale. */
const MIN_STALE_MS = 10_000;

/** Listens. Throws UsageError where it cannot. */
export async function startExporter({
  listen,
  intervalMs,
  clock,
  fault,
}: ExporterOptions): Promise<Exporter> {
  const fleet = new FleetState();
  const staleMs = Math.max(MIN_STALE_MS, STALE_INTERVALS * intervalMs);
  let expected: number | null = null;
  const server = await serveMetrics(
    listen,
    {
      exposition: (format) => exposition(fleet.views(clock.nowMs() - staleMs), format),
      isReady: () => fleet.answered > 0 && fleet.answered >= (expected ?? 0),
      report: (error) => fault("--listen", error),
    },
    clock,
  );
  return {
    url: `${server.url}/metrics`,
    watch(batches, hostCount) {
      expected = hostCount;
      return mapAsync(batches, (batch) => {
        fleet.absorb(batch, clock.nowMs());
        if (expected !== null) expected -= batch.filter(isRemoval).length;
        return batch;
      });
    },
    close: () => server.close(),
  };
}
