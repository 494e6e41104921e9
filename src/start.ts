#!/usr/bin/env node
/**
 * What is started: `--help` and `--version` are answered here, anything else is main's. The build makes it a CommonJS
 * file with the texts in it: node's loader of ES modules, and each file that it reads, cost more than the answer. It is
 * made for old versions of Node.js too, and other runtimes, which are told what is needed.
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
  // Node's own answer to SIGUSR1 is to open its debugger to whoever can reach the port.
  process.on("SIGUSR1", () => undefined);
  const answer = process.argv.length === 3 ? answerTo(process.argv[2] ?? "") : null;
  if (answer === null) void import("./main.js");
  else print(answer).catch((error: unknown) => failWith(`allsmi-ssh: ${(error as Error).message}`, FAILED));
}

function answerTo(word: string): string | null {
  switch (word) {
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
