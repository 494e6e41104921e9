#!/usr/bin/env node
/** The process: arguments, streams, signals, exit code. Nothing else knows of it. */
import { readFileSync } from "node:fs";
import type { Options } from "./options.js";

const NAME = "allsmi-ssh";
const USAGE = 2;
const INTERNAL = 1;
const MOST_HOSTS_UNOPTIMIZED = 1000;
const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const;

function say(line: string): void {
  process.stderr.write(`${NAME}: ${line}\n`);
}

// Words for the operator are worth no crash: standard error may be a closed pipe.
process.stderr.on("error", () => undefined);

async function main(): Promise<number> {
  const args = process.argv.slice(2);
  // The two that are asked alone load next to nothing.
  if (args.length === 1 && (args[0] === "--version" || args[0] === "-V")) return print(versionText());
  if (args.length === 1 && (args[0] === "--help" || args[0] === "-h")) {
    return print((await import("./cli/help.js")).helpText());
  }
  const { parseArgv } = await import("./cli.js");
  const command = await parseArgv(args, readText);
  if (command.kind === "help") return print(command.text);
  if (command.kind === "version") return print(versionText());
  const { options, warnings } = command;
  if (isShort(options)) (await import("node:v8")).setFlagsFromString("--no-opt");

  const ended = new AbortController();
  let code: number | undefined;
  for (const [signal, exitCode] of Object.entries(SIGNALS)) {
    process.on(signal, () => {
      // The second one does not wait for anything.
      if (code !== undefined) process.exit(exitCode);
      code = exitCode;
      ended.abort();
    });
  }
  const [{ run }, { realClock }] = await Promise.all([import("./run.js"), import("./lib/clock.js")]);
  const world = {
    stdin: process.stdin,
    stdout: process.stdout,
    env: process.env,
    clock: realClock,
    random: Math.random,
    saysToTerminal: process.stderr.isTTY,
    say,
  };
  const earned = await run(options, warnings, world, ended.signal);
  return code ?? earned;
}

/** A run of one tick is over before optimized code has paid for its compiling: that is a sixth of the CPU for 500 hosts. */
function isShort({ source, length }: Options): boolean {
  return (
    length.kind === "once" && source.kind === "targets" && source.targets.length <= MOST_HOSTS_UNOPTIMIZED
  );
}

/** `-` is standard input. */
async function readText(file: string): Promise<string> {
  if (file !== "-") return await (await import("node:fs/promises")).readFile(file, "utf8");
  return await (await import("node:stream/consumers")).text(process.stdin);
}

/** `| head -1` of a help text is no error either. */
function print(words: string): Promise<number> {
  return new Promise((resolve) => {
    process.stdout.on("error", () => resolve(0));
    process.stdout.write(words, () => resolve(0));
  });
}

function versionText(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  const found =
    typeof manifest === "object" && manifest !== null && "version" in manifest ? manifest.version : null;
  return `${NAME} ${typeof found === "string" ? found : "unknown"}\n`;
}

main().then(
  (code) => process.exit(code),
  async (error: unknown) => {
    const { UsageError } = await import("./errors.js");
    if (error instanceof UsageError) {
      for (const problem of error.problems) say(problem);
      say(`see ${NAME} --help`);
      process.exit(USAGE);
    }
    say(
      `internal error, please report it: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    );
    process.exit(INTERNAL);
  },
);
