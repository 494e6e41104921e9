/**
 * The soak: hosts behind real sshds with a fault each second at random. Exit status 1 where a record is missing or there
 * twice, where something grows, or where something is left at the end.
 *
 *   npm run soak                                3 minutes, 60 hosts
 *   npm run soak -- --hosts 500 --minutes 30    the long form
 *
 * `--seed N` gives the same faults again; `--interval SECS` is the watcher's; `--plot FILE` is where the SVG goes.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { parseArgs } from "node:util";
import { missing } from "../support/sshd.js";
import { plotOf } from "./plot.js";
import { CALM_SECS, soak } from "./soak.js";
import type { SoakSettings } from "./soak.js";
import { figuresOf, problemsOf, titleOf } from "./verdict.js";

/** Faults of a minute at the least: less says nothing about growth. */
const MIN_SECS = CALM_SECS + 60;

const { values } = parseArgs({
  options: {
    hosts: { type: "string", default: "60" },
    minutes: { type: "string", default: "3" },
    interval: { type: "string", default: "2" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    plot: { type: "string", default: "bench/results/soak.svg" },
  },
});

const settings: SoakSettings = {
  hosts: Number(values.hosts),
  minutes: Number(values.minutes),
  intervalSecs: Number(values.interval),
  seed: Number(values.seed),
};

function wrongIn({ hosts, minutes, intervalSecs, seed }: SoakSettings): string | null {
  if (!Number.isInteger(hosts) || hosts < 1) return "--hosts is a whole number from 1";
  if (!(minutes * 60 >= MIN_SECS)) return `--minutes is a number from ${MIN_SECS / 60}`;
  if (!(intervalSecs > 0)) return "--interval is a number above 0";
  return Number.isInteger(seed) ? null : "--seed is a whole number";
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

const wrong = wrongIn(settings);
if (wrong !== null) {
  print(`soak: ${wrong}`);
  process.exitCode = 2;
} else if (missing !== null) {
  print(`soak: ${missing}`);
  process.exitCode = 1;
} else {
  const soaked = await soak(settings);
  mkdirSync(dirname(values.plot), { recursive: true });
  writeFileSync(values.plot, plotOf(soaked, titleOf(settings, soaked)));
  for (const line of figuresOf(settings, soaked)) print(line);
  print(`plot: ${values.plot}`);
  const problems = problemsOf(settings, soaked);
  for (const problem of problems) print(`PROBLEM ${problem}`);
  if (problems.length > 0) {
    print(`standard error, its end:\n${soaked.stderr.slice(-4000)}`);
    process.exitCode = 1;
  }
}
