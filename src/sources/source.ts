/** What a source of records offers to the rest of a run. Types only. */
import type { StreamRecord } from "../contract/record.js";
import type { RuntimeDeps } from "../contract/runtime-deps.js";
import type { Target } from "../contract/target.js";
import type { Texts } from "../format/pacing.js";
import type { Counts } from "../outcome/tally.js";
import type { ReloadCounts } from "./reload.js";

export type RecordBatches = AsyncGenerator<readonly StreamRecord[], void>;

/** Text in the run's format without a header, and what its records come to. */
export interface Lines {
  readonly texts: Texts;
  /** So far. */
  readonly counts: () => readonly Counts[];
  /** At the end of the run, with what is wrong. */
  readonly summary: () => readonly Counts[];
  /** Names, at most `max`, of those hosts that have no outcome yet, where that is known. */
  readonly awaited: (hosts: ReadonlyMap<string, string>, max: number) => readonly string[];
}

/** What every kind of source has. */
export interface Opened {
  /** At present; null: not known (a replay). */
  readonly hostCount: number | null;
  /** Names of the hosts as typed, by their ids; empty where they are not known. */
  readonly hostNames: ReadonlyMap<string, string>;
  /** Watches these hosts from now on. Absent where hosts come from no list. */
  readonly replaceHosts?: (targets: readonly Target[]) => Promise<ReloadCounts>;
  /** For CSV's columns: the labels that hosts have. Of a recording, those of its first records. */
  readonly labelNames: readonly string[];
  /** Ends what the source started. To be called after the last record. */
  close(): Promise<void>;
}

export type RecordStream = Opened & { readonly kind: "records"; readonly batches: RecordBatches };

/** Lines come from threads, which have also logged their records for `--verbose`. */
export type Stream = RecordStream | (Opened & { readonly kind: "lines" } & Lines);

export interface SourceDeps extends Pick<RuntimeDeps, "stdin" | "env" | "clock" | "random" | "programs"> {
  /** The rows of the terminal that a demo is for. Null or absent: it has the same hosts everywhere. */
  readonly screenRows?: number | null;
}
