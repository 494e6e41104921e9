/** What a run was asked to do, after every flag has been checked. Built by cli/parse-argv.ts, read by every stage. */
import type { Condition } from "./condition.js";
import type { Expectation } from "./expectation.js";
import type { Section } from "./record.js";
import type { Selection } from "./selection.js";
import type { SshOptions } from "./ssh-options.js";
import type { StepArea } from "./step-log.js";
import type { TableOptions } from "./table-options.js";
import type { Target } from "./target.js";
import type { ToolPaths } from "./tool-path.js";

export type OutputFormat = "ndjson" | "csv" | "table" | "prometheus" | "otlp-json" | "all-smi-record";
/** What a run takes from its source: lines of text, or the records themselves, as for a table or for metrics. */
export type StreamFormat = "ndjson" | "csv" | "records";
export type ColorChoice = "auto" | "always" | "never";
export type Verbosity = "quiet" | "normal" | "verbose";

/** Where hosts come from: the operator's list, the embedded demo fleet, or a recording. */
export type Source =
  | { readonly kind: "targets"; readonly targets: readonly Target[] }
  | { readonly kind: "demo" }
  | { readonly kind: "replay"; readonly file: string; readonly speed: number | "max" };

/** How long a run goes on: for ever, or this many ticks. `once` also suppresses transitions and retries. */
export type RunLength =
  | { readonly kind: "endless" }
  | { readonly kind: "count"; readonly ticks: number }
  | { readonly kind: "once" };

export interface SampleOptions {
  readonly include: ReadonlySet<Section>;
  /** Shim ids in the order they are tried after native; empty for `none`. */
  readonly fallback: readonly string[];
  /** Each vendor tool's own deadline on the host. */
  readonly toolTimeoutSecs: number;
  /** Drop command lines and users of processes. */
  readonly redact: boolean;
  /** `auto`: where it is measured to help, a program of the tool's own keeps the driver started between ticks. */
  readonly holdDriver: "auto" | "never";
  /** Run tools also where every GPU of their vendor sleeps, which wakes them. */
  readonly wakeGpus?: boolean;
  /** Where tools are on the hosts, by id, in place of a search; a host's labels `tool.NAME` come before them. */
  readonly toolPaths?: ToolPaths;
  /** Folder of the facts that are kept between runs; absent: none are. */
  readonly factsFolder?: string;
}

export interface HealthOptions {
  /** Whether the health rules count, beside expectations. */
  readonly rules: boolean;
  /** Of every host; a host's own labels `expect.KEY` come after them. */
  readonly expectations: readonly Expectation[];
  /** Events are read for the rules only: the record has no error where they cannot be read. */
  readonly eventsImplied: boolean;
}

/** Where `--listen` serves metrics. Port 0: any free one. */
export interface ListenAddress {
  /** An address or a name, without brackets. */
  readonly host: string;
  readonly port: number;
}

/** What becomes of differences between hosts of a group. */
export interface DriftOptions {
  /** A line for each difference: below the table, else on standard error at the end. */
  readonly isReported: boolean;
  /** Exit 5 where there is one at the end. */
  readonly failsRun: boolean;
}

/** `--check`: one report as a monitoring plugin prints it, in place of records. */
export interface CheckOptions {
  readonly warn: readonly Condition[];
  readonly crit: readonly Condition[];
  /** Of the whole check. */
  readonly timeoutMs: number;
}

/** One of `count` processes that share the hosts; `index` counts from 0. */
export interface Shard {
  readonly index: number;
  readonly count: number;
}

export interface Options {
  readonly source: Source;
  /** Null: this process watches all hosts. */
  readonly shard: Shard | null;
  readonly ssh: SshOptions;
  readonly sample: SampleOptions;
  /** Threads that hosts are spread over, beside the main one. */
  readonly workers: number | "auto";
  readonly intervalMs: number;
  readonly length: RunLength;
  /** Null: table on a terminal, NDJSON otherwise. */
  readonly format: OutputFormat | null;
  /** Sections with rows: what `--include` named, else only GPUs in CSV and all with `--rows device`. */
  readonly csvSections: readonly Section[];
  /** What `--fields` or `--query` names; empty: the default CSV layout, and all of NDJSON. */
  readonly query: readonly string[];
  readonly selection: Selection;
  readonly table: TableOptions;
  /** Null: standard output. */
  readonly output: string | null;
  /** Null: nothing is served. */
  readonly listen: ListenAddress | null;
  readonly color: ColorChoice;
  readonly verbosity: Verbosity;
  /** Each message on standard error begins with its time. */
  readonly logTime: boolean;
  /** Areas of the step log on standard error; empty: off. */
  readonly stepAreas: ReadonlySet<StepArea>;
  /** Exit 5 when any of these held in a record with a tick. */
  readonly failOn: readonly Condition[];
  /** Exit 5 as well when a condition names a reading that no record of the run had. */
  readonly failOnMissing: boolean;
  /** What records are judged by; `rules` false with `--expect` alone. Null: they are not judged. */
  readonly health: HealthOptions | null;
  /** Null: hosts are not compared. */
  readonly drift: DriftOptions | null;
  readonly check: CheckOptions | null;
  /** `--dry-run`: print what would be done for each host and connect to nothing. */
  readonly dryRun: boolean;
  /** With \`dryRun\`: the scripts that would run on the hosts, in place of how they are reached. */
  readonly script: boolean;
}
