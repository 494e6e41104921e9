#!/usr/bin/env node
/** The process: arguments, streams, signals, exit code. Nothing else knows of it. */
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { parseArgv } from "./cli.js";
import { UsageError } from "./errors.js";

const NAME = "allsmi-ssh";
const USAGE = 2;
const INTERNAL = 1;
const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const;

function say(line: string): void {
  process.stderr.write(`${NAME}: ${line}\n`);
}

// Words for the operator are worth no crash: standard error may be a closed pipe.
process.stderr.on("error", () => undefined);

async function main(): Promise<number> {
  const command = await parseArgv(process.argv.slice(2), (file) =>
    file === "-" ? text(process.stdin) : readFile(file, "utf8"),
  );
  if (command.kind === "help") return print(command.text);
  if (command.kind === "version") return print(`${NAME} ${version()}\n`);
  const { options, warnings } = command;

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

/** `| head -1` of a help text is no error either. */
function print(words: string): Promise<number> {
  return new Promise((resolve) => {
    process.stdout.on("error", () => resolve(0));
    process.stdout.write(words, () => resolve(0));
  });
}

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  const found =
    typeof manifest === "object" && manifest !== null && "version" in manifest ? manifest.version : null;
  return typeof found === "string" ? found : "unknown";
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
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
