/** How many threads a run is worth, which hosts each of them watches, and what it is started with. */
import type { HostChangeLines } from "../../contract/operator-log.js";
import type { Options, StreamFormat } from "../../contract/options.js";
import { EVERYTHING } from "../../contract/selection.js";
import type { WatchedTarget } from "../../fleet/identity.js";
import type { FleetSettings } from "../../fleet/open-fleet.js";
import { labelColumns } from "../../format/label-columns.js";
import type { HostPlan } from "../../ssh/plan/plan.js";

/** From this size on a thread with more space for young objects saves more than it costs (bench: steady, workers). */
const MIN_THREADED_HOSTS = 100;

/** Threads beside the main one; 0: all runs on the main thread. `--workers` wins; never more than hosts. */
export function threadCount(
  { workers, length }: Pick<Options, "workers" | "length">,
  format: StreamFormat,
  hosts: number,
): number {
  if (workers !== "auto") return Math.min(workers, hosts);
  // A table and metrics are made from records, which a thread would have to send as text.
  return format !== "records" && length.kind !== "once" && hosts >= MIN_THREADED_HOSTS ? 1 : 0;
}

/** One thread's part of a run: the data that it is started with. Can be cloned. */
export interface Share {
  readonly options: FleetSettings &
    Pick<Options, "csvSections" | "query" | "selection" | "failOn" | "health" | "drift" | "verbosity">;
  readonly watched: readonly WatchedTarget[];
  readonly format: "ndjson" | "csv";
  /** Labels of all hosts: the columns are the same for all threads. */
  readonly labelNames: readonly string[];
  /** When the run began, in ms since the epoch: ticks are the same for all threads. */
  readonly beganAtMs: number;
  /** The resolver program, as a URL's text. */
  readonly resolver: string;
  /** What is logged of hosts. */
  readonly hostChanges: HostChangeLines | null;
}

/** `beginMs` is the begin of the run by the monotonic clock of the calling thread. */
export function sharesOf(
  options: Options & Pick<FleetSettings, "openFiles">,
  watched: readonly WatchedTarget[],
  run: {
    readonly count: number;
    readonly format: StreamFormat;
    readonly resolver: string;
    readonly beginMs: number;
    readonly hostChanges: HostChangeLines | null;
  },
): readonly Share[] {
  const { ssh, sample, intervalMs, length, stepAreas, csvSections, query, failOn, health, verbosity } =
    options;
  const { drift, selection, openFiles = null } = options;
  const labelNames = labelColumns(watched.map(({ identity }) => identity));
  const lists = shareOut(watched, run.count);
  const limits = splitLimit(ssh.concurrency, lists.length);
  // A main thread that gets records counts and logs them itself.
  const areRecords = run.format === "records";
  return lists.map((list, index) => ({
    watched: list,
    options: {
      ...{ sample, intervalMs, length, stepAreas, csvSections },
      query: areRecords ? [] : query,
      selection: areRecords ? EVERYTHING : selection,
      ssh: { ...ssh, concurrency: limits[index] ?? 1 },
      openFiles: openFiles === null ? null : (splitLimit(openFiles, lists.length)[index] ?? 1),
      failOn: areRecords ? [] : failOn,
      health: areRecords ? null : health,
      drift: areRecords ? null : drift,
      verbosity: areRecords ? "normal" : verbosity,
    },
    format: run.format === "csv" ? "csv" : "ndjson",
    labelNames,
    beganAtMs: performance.timeOrigin + run.beginMs,
    resolver: run.resolver,
    hostChanges: areRecords ? null : run.hostChanges,
  }));
}

/**
 * At most `count` lists of about the same length, none of them empty, that hold every host once, in the fleet's order.
 * Hosts that share a connection to a jump host, or an address with its limit of handshakes, stay together.
 */
export function shareOut(
  watched: readonly WatchedTarget[],
  count: number,
): readonly (readonly WatchedTarget[])[] {
  const groups = new Map<string, WatchedTarget[]>();
  for (const each of watched) {
    const key = groupOf(each);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [each]);
    else group.push(each);
  }
  const order = new Map(watched.map((each, index) => [each, index]));
  const lists: WatchedTarget[][] = Array.from({ length: Math.min(count, groups.size) }, () => []);
  // The largest groups first: the small ones even the lists out.
  for (const group of [...groups.values()].sort((a, b) => b.length - a.length))
    lists.reduce((shortest, list) => (list.length < shortest.length ? list : shortest)).push(...group);
  return lists.map((list) => list.sort((a, b) => (order.get(a) ?? 0) - (order.get(b) ?? 0)));
}

/** Hosts of one group stay together: the name of the host that their connections go to first. */
export function groupOf({ target, plan }: WatchedTarget): string {
  return plan === null ? target.host : firstDialled(plan);
}

function firstDialled(plan: HostPlan): string {
  return plan.way.kind === "jump" ? firstDialled(plan.way.hop) : plan.host;
}

/** Parts of a limit for all threads together, at least 1 each. */
export function splitLimit(limit: number, parts: number): readonly number[] {
  return Array.from({ length: parts }, (_, part) =>
    Math.max(1, Math.floor(limit / parts) + (part < limit % parts ? 1 : 0)),
  );
}
