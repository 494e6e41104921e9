/** The whole program less the process: options in, records out, an exit code back. */
import { setMaxListeners } from "node:events";
import { createReadStream } from "node:fs";
import { access, constants } from "node:fs/promises";
import type { Readable } from "node:stream";
import { UsageError } from "./errors.js";
import { formatterFor, pictureTerminal, type OutputStream } from "./appearance.js";
import { fileOutput, OutputError, streamOutput, type Output } from "./format/output.js";
import { drainTo } from "./format/sink.js";
import { changed } from "./lib/changed.js";
import type { Clock } from "./lib/clock.js";
import { cleanText } from "./lib/text.js";
import { Notices } from "./notices.js";
import type { Options } from "./options.js";
import type { StreamRecord } from "./record.js";
import { EXIT, Tally } from "./tally.js";

/** What a run needs of the process. */
export interface World {
  readonly stdin: Readable;
  readonly stdout: OutputStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  /** Whether `say` writes to a terminal. */
  readonly saysToTerminal: boolean;
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
 * `warnings` are told first. Throws UsageError before anything was connected.
 */
export async function run(
  options: Options,
  warnings: readonly string[],
  world: World,
  signal: AbortSignal,
): Promise<number> {
  const stopper = new AbortController();
  // Every host listens for the end, and takes its listener off again.
  setMaxListeners(0, stopper.signal);
  const stop = (): void => stopper.abort();
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  const terminal = pictureTerminal(options, world);
  const notices = new Notices((line) => world.say(line), terminal !== null && world.saysToTerminal);
  const warn = (message: string): void => {
    if (options.verbosity !== "quiet") notices.say(`warning: ${message}`);
  };
  const note = (message: string): void => {
    if (options.verbosity === "verbose") notices.say(cleanText(message));
  };
  try {
    warnings.forEach(warn);
    if (options.dryRun) return await dryRun(options, world);
    const output = options.output === null ? streamOutput(world.stdout) : await openOutput(options.output);
    const stream = await openStream(options, world, warn, note, stopper.signal);
    const tally = new Tally(options.failOn);
    try {
      const formatter = await formatterFor(options, world, terminal, stream.hostCount);
      if (formatter.screen !== undefined) notices.showOn((line) => formatter.screen?.note(line));
      const seen = (record: StreamRecord): void => {
        tally.take(record);
        if (options.verbosity === "verbose") tell(record, notices);
      };
      const tapped = changed(stream.batches, (batch) => {
        batch.forEach(seen);
        return batch;
      });
      const drained = await drainTo(tapped, formatter, output, {
        signal: stopper.signal,
        clock: world.clock,
        stop,
      });
      return drained === "closed" ? EXIT.ok : earned(tally, options);
    } finally {
      stop();
      await stream.close();
      await output.close();
    }
  } catch (error) {
    if (!(error instanceof OutputError)) throw error;
    notices.say(error.message);
    return EXIT.internal;
  } finally {
    notices.release();
    signal.removeEventListener("abort", stop);
  }
}

/** Half of the demo's hosts are there to fail: that is no failure of the demo. */
function earned(tally: Tally, options: Options): number {
  const code = tally.exitCode();
  return options.source.kind === "demo" && code === EXIT.someFailed ? EXIT.ok : code;
}

/** `--verbose`: transitions, and frames that say of something that it failed. */
function tell(record: StreamRecord, notices: Notices): void {
  const say = (words: string): void => notices.say(cleanText(`${record.host_id}: ${words}`));
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

async function openStream(
  options: Options,
  world: World,
  warn: (message: string) => void,
  note: (message: string) => void,
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
  if (source.kind === "targets") return openFleet(options, source.targets, world, warn, note, signal);
  const { startDemo } = await import("./demo/demo.js");
  const demo = await startDemo();
  const fleet = await openFleet(
    { ...options, ssh: demo.ssh(options.ssh) },
    demo.targets,
    world,
    warn,
    note,
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
