#!/usr/bin/env node
/**
 * What is started: `--help` and `--version` are answered here, anything else is main's. The build makes it a CommonJS
 * file with the texts in it: node's loader of ES modules, and each file that it reads, cost more than the answer.
 */
import { print } from "./lib/print.js";

declare const HELP_TEXT: string;
declare const VERSION_TEXT: string;

const answer = process.argv.length === 3 ? answerTo(process.argv[2] ?? "") : null;
if (answer === null) void import("./main.js");
else void print(answer);

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
