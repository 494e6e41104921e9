#!/usr/bin/env node
/**
 * The file that is started. It answers `--help` and `--version` and loads main.ts for everything else. The build makes it
 * a CommonJS file that contains the texts: node's loader of ES modules, and each file that it reads, cost more than the
 * answer. It also runs on old versions of Node.js and on other runtimes, to print which version is needed.
 */
import { runtimeProblem } from "./lib/runtime.js";
import { print } from "./lib/print.js";

declare const HELP_TEXT: string;
declare const VERSION_TEXT: string;

const USAGE = 2;
const FAILED = 1;

const problem = runtimeProblem({ versions: process.versions, globals: globalThis });
if (problem === null) start();
else failWith(problem, USAGE);

function start(): void {
  // By default Node opens its debugger on SIGUSR1, to anybody who can reach the port.
  process.on("SIGUSR1", () => undefined);
  const answer = process.argv.length === 3 ? answerTo(process.argv[2] ?? "") : null;
  if (answer === null) void import("./main.js");
  else print(answer).catch((error: unknown) => failWith(`allsmi-ssh: ${(error as Error).message}`, FAILED));
}

function answerTo(argument: string): string | null {
  switch (argument) {
    case "-h":
    case "--help":
      return HELP_TEXT;
    case "-V":
    case "--version":
      return VERSION_TEXT;
    default:
      return null;
  }
}

function failWith(line: string, code: number): void {
  process.exitCode = code;
  process.stderr.on("error", () => undefined);
  process.stderr.write(`${line}\n`);
}
