/** Where a run's records come from: a recording, the demo fleet, or live hosts on this thread or on others. */
import { createReadStream } from "node:fs";
import { access, constants } from "node:fs/promises";
import { isIP } from "node:net";
import type { Readable } from "node:stream";
import { UsageError } from "./contract/errors.js";
import type { Words } from "./contract/operator-log.js";
import type { Options, OutputFormat } from "./contract/options.js";
import type { StreamRecord } from "./contract/record.js";
import type { Target } from "./contract/target.js";
import type { Texts } from "./format/pacing.js";
import { unlessAborted } from "./lib/abort.js";
import type { Clock } from "./lib/clock.js";
import type { Counts } from "./outcome/tally.js";
import { threadCount } from "./threads/thread-count.js";

export type Batches = AsyncGenerator<readonly StreamRecord[], void>;

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
  | { readonly kind: "records"; readonly batches: Batches }
  /** Told of already, for `--verbose`. */
  | ({ readonly kind: "lines" } & Lines)
);

/** What a stream needs of the process. */
export interface Sources {
  readonly stdin: Readable;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly random: () => number;
  /** The file that a thread runs. */
  readonly threadProgram: URL;
  /** The file that a process that looks names up runs. */
  readonly resolverProgram: URL;
}

/** Throws UsageError before anything is connected. The records end soon after the signal aborts. */
export async function openStream(
  options: Options,
  format: OutputFormat,
  sources: Sources,
  words: Words,
  signal: AbortSignal,
): Promise<Stream> {
  const { source } = options;
  if (source.kind === "replay") {
    const { replay } = await import("./replay.js");
    const input = source.file === "-" ? sources.stdin : createReadStream(source.file);
    const name = source.file === "-" ? "<stdin>" : source.file;
    const { clock } = sources;
    const batches = replay({ source: input, name, speed: source.speed, clock, signal, warn: words.warn });
    return { kind: "records", batches, hostCount: null, close: () => Promise.resolve() };
  }
  await checkKeyFiles(options.ssh.keyFiles);
  if (source.kind === "targets") return openLive(options, source.targets, format, sources, words, signal);
  const { startDemo } = await import("./demo/demo.js");
  const demo = await startDemo();
  const ssh = demo.ssh(options.ssh);
  const opening = openLive({ ...options, ssh }, demo.targets, format, sources, words, signal);
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

async function openLive(
  options: Options,
  targets: readonly Target[],
  format: OutputFormat,
  sources: Sources,
  words: Words,
  signal: AbortSignal,
): Promise<Stream> {
  const { clock, random, env } = sources;
  const beginMs = clock.nowMs();
  const { openNames } = await import("./ssh/names/resolver-pool.js");
  const names = openNames(sources.resolverProgram, clock);
  // What starts for it takes as long as what is loaded next: a run of one reading would wait for it.
  if (options.ssh.client !== "openssh" && threadCount(options, format, targets.length) === 0) {
    if (targets.some(isDnsName)) names.expect();
  }
  const { planFleet, openFleet } = await import("./fleet/open-fleet.js");
  const planning = planFleet(options, targets, { env, clock, names }, words.warn, words.fault);
  const watched = await unlessAborted(planning, signal).catch((error: unknown) => {
    names.close();
    throw error;
  });
  const count = threadCount(options, format, watched.length);
  if (count > 0) {
    names.close();
    const { openThreads } = await import("./threads/open-threads.js");
    return openThreads(options, watched, format, { ...sources, count, beginMs, words, signal });
  }
  const fleet = await openFleet(options, watched, { clock, random, names, beginMs, ...words }, signal);
  const close = (): Promise<void> => {
    fleet.close();
    return Promise.resolve();
  };
  return { kind: "records", batches: fleet.batches, hostCount: watched.length, close };
}

/** A name without a dot may be an alias of the config, and have an address there. */
function isDnsName({ host }: Target): boolean {
  return host.includes(".") && isIP(host) === 0;
}

/** Throws UsageError for files of `--ssh-key` that cannot be read. */
export async function checkKeyFiles(files: readonly string[]): Promise<void> {
  const problems: string[] = [];
  for (const file of files) {
    await access(file, constants.R_OK).catch((error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      problems.push(`--ssh-key: cannot read ${file}: ${why}`);
    });
  }
  if (problems.length > 0) throw new UsageError(problems);
}
