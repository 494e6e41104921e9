/** What a source of records is to the rest of a run. Types only. */
import type { Readable } from "node:stream";
import type { StreamRecord } from "../contract/record.js";
import type { Texts } from "../format/pacing.js";
import type { Clock } from "../lib/clock.js";
import type { Counts } from "../outcome/tally.js";

export type RecordBatches = AsyncGenerator<readonly StreamRecord[], void>;

/** Text of the run's format without a header, and what its records have come to so far. */
export interface Lines {
  readonly texts: Texts;
  readonly counts: () => readonly Counts[];
}

/** What has to be ended after the records is ended by `close`. */
export type Stream = {
  /** Null: not known (a replay). */
  readonly hostCount: number | null;
  close(): Promise<void>;
} & (
  | { readonly kind: "records"; readonly batches: RecordBatches }
  /** Told of already, for `--verbose`. */
  | ({ readonly kind: "lines" } & Lines)
);

/** What a stream needs of the process. */
export interface SourceDeps {
  readonly stdin: Readable;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly random: () => number;
  /** The file that a thread runs. */
  readonly threadProgram: URL;
  /** The file that a process that looks names up runs. */
  readonly resolverProgram: URL;
}
