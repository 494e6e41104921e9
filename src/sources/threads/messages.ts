/** What the main thread and a thread with a share of the fleet say to each other. Plain data, all of it. */
import type { Options } from "../../contract/options.js";
import type { WatchedTarget } from "../../fleet/identity.js";
import type { FleetSettings } from "../../fleet/open-fleet.js";
import type { Counts } from "../../outcome/tally.js";

/** One thread's part of a run, as it is started with. */
export interface Share {
  readonly options: FleetSettings & Pick<Options, "csvSections" | "query" | "failOn" | "verbosity">;
  readonly watched: readonly WatchedTarget[];
  readonly format: "ndjson" | "csv";
  /** When the run began, in ms since the epoch: ticks are the same for all threads. */
  readonly beganAtMs: number;
}

/** Memory that goes to and fro. */
export type LineBuffer = Uint8Array<ArrayBuffer>;

export type FromThread =
  /** Whole lines in UTF-8 at the beginning of `buffer`. Nothing more comes before the main thread sends `ack`. */
  | { readonly kind: "lines"; readonly buffer: LineBuffer; readonly length: number; readonly counts: Counts }
  /** Words for the operator: a warning, what `--verbose` tells, what `--verbose` tells that may hold remote text. */
  | { readonly kind: "warning" | "line" | "debug"; readonly text: string }
  /** What was thrown for a host and should not have been. */
  | { readonly kind: "fault"; readonly host: string; readonly stack: string }
  /** Nothing at all comes any more. */
  | { readonly kind: "ended"; readonly counts: Counts };

export type ToThread =
  /** The last lines are out; their memory is for the next ones. */
  { readonly kind: "ack"; readonly buffer: LineBuffer } | { readonly kind: "stop" };
