/** The process: arguments, streams, signals, exit code. No other file touches them. */
import { closeSync, openSync } from "node:fs";
import type { Keyboard } from "./contract/keyboard.js";
import type { Options } from "./contract/options.js";
import type { Clock } from "./lib/clock.js";
import { print } from "./lib/print.js";
import { cleanText } from "./lib/text.js";
import { wrapMessage } from "./lib/wrap-words.js";
import { programsBeside } from "./run/programs.js";

/** Defined by the build, from package.json. */
declare const VERSION_TEXT: string;

const NAME = "allsmi-ssh";
const USAGE = 2;
const INTERNAL = 1;
const MAX_HOSTS_UNOPTIMIZED = 1000;
/** A million hosts with long labels have less. */
const MAX_HOSTFILE_BYTES = 256 * 1024 * 1024;
/** From the signal that ends the run. */
const MAX_LOG_WAIT_MS = 1000;
const SIGNALS = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

/** Aborted by the first signal. */
const ended = new AbortController();

/** `--log-time`; false until the flags are read. */
let logsTime = false;

/** Whoever made the text has cleaned it where a host wrote it. Names of files and flags are as the shell passed them. */
function logLine(line: string): void {
  const prefix = `${logsTime ? `${new Date().toISOString()} ` : ""}${NAME}: `;
  const clean = line.split("\n").map(cleanText).join("\n");
  const { isTTY, columns } = process.stderr;
  const text = isTTY && columns > 0 ? wrapMessage(clean, columns, prefix.length) : clean;
  process.stderr.write(`${prefix}${text}\n`);
}

// Standard error may be a closed pipe: that must not end the run.
process.stderr.on("error", () => undefined);

const OUT_OF_MEMORY =
  "this process is out of memory: a thread has reached the limit of its heap; watch fewer hosts in one process (--shard), or raise the limit by NODE_OPTIONS=--max-old-space-size=MIB";

/** Of a thread: where the main thread has no memory left, V8 prints that itself and aborts. */
function isOutOfMemory(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ERR_WORKER_OUT_OF_MEMORY";
}

/** An exception that belongs to no host: nobody knows what still works after it. */
function endByFault(error: unknown): void {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  if (isOutOfMemory(error)) {
    logLine(OUT_OF_MEMORY);
    void exit(INTERNAL, error);
    return;
  }
  logLine(`internal error, please report it: ${stack}`);
  void exit(INTERNAL, error);
}

/** The codes of a check mean something else: its caller takes 1 for a warning and 2 for a sick host. */
async function exit(code: number, error: unknown): Promise<never> {
  if (!process.argv.includes("--check")) process.exit(code);
  const { reportFailedCheck } = await import("./run/check.js");
  process.exit(await reportFailedCheck(error, print));
}
process.on("uncaughtException", endByFault);

async function main(): Promise<number> {
  const { parseArgv } = await import("./cli/parse-argv.js");
  const command = await parseArgv(process.argv.slice(2), readText, process.env);
  if (command.kind !== "run") {
    return await printed(command.kind === "help" ? command.text : VERSION_TEXT);
  }
  const { options, warnings } = command;
  logsTime = options.logTime;
  const isWatching = options.length.kind !== "once" && options.check === null && !options.dryRun;
  const rereadTargets = isWatching ? command.rereadTargets : null;
  if (isShort(options)) (await import("node:v8")).setFlagsFromString("--no-opt");

  let code: number | undefined;
  const hangUps = new HangUps(options.output !== null && !options.dryRun, rereadTargets !== null);
  for (const [signal, exitCode] of Object.entries(SIGNALS)) {
    process.on(signal, () => {
      if (signal === "SIGHUP" && hangUps.take()) return;
      // The second signal does not wait for anything.
      if (code !== undefined) process.exit(exitCode);
      code = exitCode;
      ended.abort();
    });
  }
  const [{ run }, { realClock }] = await Promise.all([import("./run/run.js"), import("./lib/clock.js")]);
  const deps = {
    stdin: process.stdin,
    stdout: process.stdout,
    env: process.env,
    clock: realClock,
    random: Math.random,
    programs: programsBeside(import.meta.url),
    keyboard: await keyboardOf(realClock),
    logTerminal: process.stderr.isTTY
      ? {
          columns: () => process.stderr.columns || 80,
          write: (text: string) => void process.stderr.write(text),
        }
      : null,
    logLine,
    rereadTargets,
    onHangUp: (listener: () => Promise<void>) => hangUps.listen(listener),
  };
  const ownCode = await run(options, warnings, deps, ended.signal);
  return code ?? ownCode;
}

/** Keys are for a person who sees the table and types there. */
async function keyboardOf(clock: Clock): Promise<Keyboard | null> {
  const { stdin, stdout } = process;
  if (!stdin.isTTY || !stdout.isTTY) return null;
  const [{ TerminalKeyboard }, { shellJob }] = await Promise.all([
    import("./keyboard/terminal-keyboard.js"),
    import("./keyboard/shell-job.js"),
  ]);
  return new TerminalKeyboard(stdin, shellJob(clock), clock);
}

async function printed(text: string): Promise<number> {
  try {
    await print(text);
    return 0;
  } catch (error) {
    logLine((error as Error).message);
    return INTERNAL;
  }
}

/**
 * SIGHUP makes a run that writes to a file open it again (logrotate), and one with hosts from a file read that again. It
 * ends any other run, and one whose terminal was closed: nobody would know of it any more.
 */
class HangUps {
  #listener: (() => Promise<void>) | null = null;
  #isPending = false;
  /** Turns of the listener, one after another. */
  #last: Promise<void> = Promise.resolve();
  readonly #hadTerminal: boolean;

  constructor(
    private readonly reopens: boolean,
    private readonly rereads: boolean,
  ) {
    this.#hadTerminal = rereads && !reopens && hasTerminal();
  }

  /** False: the signal ends the run. */
  take(): boolean {
    const isEnd = !this.reopens && (!this.rereads || (this.#hadTerminal && !hasTerminal()));
    if (isEnd) return false;
    if (this.#listener === null) this.#isPending = true;
    else this.#last = this.#last.then(this.#listener);
    return true;
  }

  async listen(listener: () => Promise<void>): Promise<void> {
    this.#listener = listener;
    if (this.#isPending) await listener();
  }
}

/** Whether the process has a controlling terminal. It has none any more once its window was closed (tty(4)). */
function hasTerminal(): boolean {
  try {
    closeSync(openSync("/dev/tty", "r"));
    return true;
  } catch {
    return false;
  }
}

/** A run of one tick ends before optimized code pays for its compilation, which is a sixth of the CPU for 500 hosts. */
function isShort({ source, length }: Options): boolean {
  return (
    length.kind === "once" && source.kind === "targets" && source.targets.length <= MAX_HOSTS_UNOPTIMIZED
  );
}

/** `-` is standard input. */
async function readText(file: string): Promise<string> {
  if (file !== "-") {
    const { readFileBounded } = await import("./lib/bounded-file.js");
    return (await readFileBounded(file, MAX_HOSTFILE_BYTES)).bytes.toString("utf8");
  }
  return await (await import("node:stream/consumers")).text(process.stdin);
}

/**
 * A pipe takes 64 KiB at once, and process.exit drops the rest: waits for the reader, as a program that blocks would. After
 * a signal not for long: a reader that has stopped must not keep the program from ending.
 */
async function logWritten(): Promise<void> {
  if (process.stderr.writableLength === 0) return;
  const [{ onAbort }, { realClock }] = await Promise.all([
    import("./lib/abort.js"),
    import("./lib/clock.js"),
  ]);
  await new Promise<void>((resolve) => {
    process.stderr.once("close", resolve);
    process.stderr.write("", () => resolve());
    onAbort(ended.signal, () => realClock.after(MAX_LOG_WAIT_MS, resolve));
  });
}

main().then(
  async (code) => {
    await logWritten();
    process.exit(code);
  },
  async (error: unknown) => {
    const { UsageError } = await import("./contract/errors.js");
    if (error instanceof UsageError) {
      for (const problem of error.problems) logLine(problem);
      if (error.hintsAtHelp) logLine(`see ${NAME} --help`);
      await logWritten();
      await exit(USAGE, error);
    }
    endByFault(error);
  },
);
