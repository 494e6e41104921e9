/** The process: arguments, streams, signals, exit code. Nothing else knows of it. */
import type { Options } from "./contract/options.js";
import { print } from "./lib/print.js";

/** From package.json, by the build. */
declare const VERSION_TEXT: string;

const NAME = "allsmi-ssh";
const USAGE = 2;
const INTERNAL = 1;
const MAX_HOSTS_UNOPTIMIZED = 1000;
const SIGNALS = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

function logLine(line: string): void {
  process.stderr.write(`${NAME}: ${line}\n`);
}

// Words for the operator are worth no crash: standard error may be a closed pipe.
process.stderr.on("error", () => undefined);

/** What is attributed to no host: the last resort, which cannot know what still works. */
function endByFault(error: unknown): void {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  logLine(`internal error, please report it: ${stack}`);
  process.exit(INTERNAL);
}
process.on("uncaughtException", endByFault);

async function main(): Promise<number> {
  const { parseArgv } = await import("./cli/parse-argv.js");
  const command = await parseArgv(process.argv.slice(2), readText);
  if (command.kind !== "run") {
    return await printed(command.kind === "help" ? command.text : VERSION_TEXT);
  }
  const { options, warnings } = command;
  if (isShort(options)) (await import("node:v8")).setFlagsFromString("--no-opt");

  const ended = new AbortController();
  let code: number | undefined;
  const hangUps = new HangUps(options.output !== null && !options.dryRun);
  for (const [signal, exitCode] of Object.entries(SIGNALS)) {
    process.on(signal, () => {
      if (signal === "SIGHUP" && hangUps.taken()) return;
      // The second one does not wait for anything.
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
    threadProgram: new URL("./thread.js", import.meta.url),
    resolverProgram: new URL("./resolver.cjs", import.meta.url),
    logsToTerminal: process.stderr.isTTY,
    logLine,
    onReopen: (listener: () => Promise<void>) => hangUps.listen(listener),
  };
  const earned = await run(options, warnings, deps, ended.signal);
  return code ?? earned;
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

/** SIGHUP asks a program that writes to a file to open it anew (logrotate), and any other one to end. */
class HangUps {
  #listener: (() => Promise<void>) | null = null;
  #isPending = false;

  constructor(private readonly reopens: boolean) {}

  /** Whether the signal asks for something other than the end. */
  taken(): boolean {
    if (!this.reopens) return false;
    if (this.#listener === null) this.#isPending = true;
    else void this.#listener();
    return true;
  }

  async listen(listener: () => Promise<void>): Promise<void> {
    this.#listener = listener;
    if (this.#isPending) await listener();
  }
}

/** A run of one tick is over before optimized code has paid for its compiling: that is a sixth of the CPU for 500 hosts. */
function isShort({ source, length }: Options): boolean {
  return (
    length.kind === "once" && source.kind === "targets" && source.targets.length <= MAX_HOSTS_UNOPTIMIZED
  );
}

/** `-` is standard input. */
async function readText(file: string): Promise<string> {
  if (file !== "-") return await (await import("node:fs/promises")).readFile(file, "utf8");
  return await (await import("node:stream/consumers")).text(process.stdin);
}

main().then(
  (code) => process.exit(code),
  async (error: unknown) => {
    const { UsageError } = await import("./contract/errors.js");
    if (error instanceof UsageError) {
      for (const problem of error.problems) logLine(problem);
      if (error.hintsAtHelp) logLine(`see ${NAME} --help`);
      process.exit(USAGE);
    }
    endByFault(error);
  },
);
