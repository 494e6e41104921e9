/** The whole program less the process: options in, records out, an exit code back. */
import { setMaxListeners } from "node:events";
import { createReadStream } from "node:fs";
import { access, constants } from "node:fs/promises";
import type { Readable, Writable } from "node:stream";
import { UsageError } from "./errors.js";
import { createFormatter, wantsColor, type Formatter } from "./format/formatter.js";
import { fileOutput, OutputError, streamOutput, type Output } from "./format/output.js";
import { drainTo } from "./format/sink.js";
import { terminalOf } from "./format/terminal.js";
import type { Clock } from "./lib/clock.js";
import { cleanText } from "./lib/text.js";
import type { Options, OutputFormat } from "./options.js";
import type { StreamRecord } from "./record.js";
import { EXIT, Tally } from "./tally.js";

/** Standard output as the process has it. */
export interface OutputStream extends Writable {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

/** What a run needs of the process. */
export interface World {
  readonly stdin: Readable;
  readonly stdout: OutputStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  /** One line for the operator, on standard error. */
  say(line: string): void;
}

type Batches = AsyncGenerator<readonly StreamRecord[], void>;

/** Where records come from, and what has to be ended after them. */
interface Stream {
  readonly batches: Batches;
  /** Null: not known (a replay). */
  readonly hostCount: number | null;
  close(): Promise<void>;
}

/**
 * Runs until the last tick, the reader's end, or the signal's abort. Returns the exit code that the records earned.
 * Throws UsageError before anything was connected.
 */
export async function run(options: Options, world: World, signal: AbortSignal): Promise<number> {
  const stopper = new AbortController();
  // Every host listens for the end, and takes its listener off again.
  setMaxListeners(0, stopper.signal);
  const stop = (): void => stopper.abort();
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  const warn = (message: string): void => {
    if (options.verbosity !== "quiet") world.say(`warning: ${message}`);
  };
  try {
    if (options.dryRun) return await dryRun(options, world);
    const output = options.output === null ? streamOutput(world.stdout) : await openOutput(options.output);
    const stream = await openStream(options, world, warn, stopper.signal);
    const tally = new Tally(options.failOn);
    try {
      const formatter = await formatterFor(options, world, stream.hostCount);
      const seen = (record: StreamRecord): void => {
        tally.take(record);
        if (options.verbosity === "verbose") tell(record, world);
      };
      const drained = await drainTo(tapped(stream.batches, seen), formatter, output, {
        signal: stopper.signal,
        clock: world.clock,
        stop,
      });
      return drained === "closed" ? EXIT.ok : tally.exitCode();
    } finally {
      stop();
      await stream.close();
      await output.close();
    }
  } catch (error) {
    if (!(error instanceof OutputError)) throw error;
    world.say(error.message);
    return EXIT.internal;
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

async function* tapped(batches: Batches, seen: (record: StreamRecord) => void): Batches {
  for await (const batch of batches) {
    batch.forEach(seen);
    yield batch;
  }
}

/** `--verbose`: transitions, and frames that say of something that it failed. */
function tell(record: StreamRecord, world: World): void {
  const say = (words: string): void => world.say(cleanText(`${record.host_id}: ${words}`));
  if (record.record === "frame") {
    for (const error of record.errors ?? []) say(`${error.section} ${error.kind}: ${error.message}`);
    return;
  }
  if (record.tick !== null && record.retry_in_ms !== null) return;
  const route = [record.transport, record.ssh_client, record.channel].filter(
    (part) => part !== undefined && part !== null,
  );
  const why =
    record.last_error === null ? route.join(", ") : `${record.last_error.code}: ${record.last_error.message}`;
  say(`${record.state}${why === "" ? "" : ` (${why})`}`);
}

async function openOutput(path: string): Promise<Output> {
  try {
    return await fileOutput(path);
  } catch (error) {
    throw new UsageError([`--output: cannot append to ${path}: ${messageOf(error)}`]);
  }
}

function formatterFor(options: Options, world: World, hostCount: number | null): Promise<Formatter> {
  const isTerminal = options.output === null && world.stdout.isTTY === true;
  const format: OutputFormat = options.format ?? (isTerminal ? "table" : "ndjson");
  return createFormatter(format, {
    csvSections: options.csvSections,
    query: options.query,
    color: wantsColor(options.color, world.env, isTerminal),
    terminal: isTerminal ? terminalOf(world.stdout) : null,
    hostCount,
  });
}

async function openStream(
  options: Options,
  world: World,
  warn: (message: string) => void,
  signal: AbortSignal,
): Promise<Stream> {
  const { source } = options;
  if (source.kind === "replay") {
    const { replay } = await import("./replay.js");
    const input = source.file === "-" ? world.stdin : createReadStream(source.file);
    const name = source.file === "-" ? "<stdin>" : source.file;
    const batches = replay({ source: input, name, speed: source.speed, clock: world.clock, signal, warn });
    return { batches, hostCount: null, close: () => Promise.resolve() };
  }
  await checkKeyFiles(options.ssh.keyFiles);
  const { openFleet } = await import("./live.js");
  if (source.kind === "targets") return openFleet(options, source.targets, world, warn, signal);
  const { startDemo } = await import("./demo/demo.js");
  const demo = await startDemo();
  const fleet = await openFleet(
    { ...options, ssh: demo.ssh(options.ssh) },
    demo.targets,
    world,
    warn,
    signal,
  );
  return {
    ...fleet,
    close: async () => {
      await fleet.close();
      await demo.close();
    },
  };
}

async function dryRun(options: Options, world: World): Promise<number> {
  if (options.source.kind !== "targets") {
    throw new UsageError(["--dry-run tells of hosts: give --ssh or --ssh-hostfile with it"]);
  }
  const [{ planTargets }, { describePlans }] = await Promise.all([
    import("./live.js"),
    import("./dry-run.js"),
  ]);
  const planned = await planTargets(options, options.source.targets, world.env);
  const output = options.output === null ? streamOutput(world.stdout) : await openOutput(options.output);
  for await (const text of describePlans(planned, options, world)) await output.write(text);
  await output.close();
  return EXIT.ok;
}

async function checkKeyFiles(files: readonly string[]): Promise<void> {
  const problems: string[] = [];
  for (const file of files) {
    await access(file, constants.R_OK).catch((error: unknown) => {
      problems.push(`--ssh-key: cannot read ${file}: ${messageOf(error)}`);
    });
  }
  if (problems.length > 0) throw new UsageError(problems);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
