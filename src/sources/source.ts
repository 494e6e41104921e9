/** What a source of records offers to the rest of a run. Types only. */
import type { StreamRecord } from "../contract/record.js";
import type { RuntimeDeps } from "../contract/runtime-deps.js";
import type { Texts } from "../format/pacing.js";
import type { Counts } from "../outcome/tally.js";

export type RecordBatches = AsyncGenerator<readonly StreamRecord[], void>;

/** Text in the run's format without a header, and the counts of its records so far. */
export interface Lines {
  readonly texts: Texts;
  readonly counts: () => readonly Counts[];
}

interface Opened {
  /** Null: not known (a replay). */
  readonly hostCount: number | null;
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
