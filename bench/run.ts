/** `npm run bench [-- FLAGS]`: runs the scenarios that are asked for, and prints and keeps what they measured. */
import { execFileSync } from "node:child_process";
import { cpus, totalmem } from "node:os";
import { readArguments, usageOf, type BenchArguments } from "./arguments.js";
import { isAlone, reenterAlone } from "./fleet/fleet.js";
import { buildPeers } from "./fleet/peer-programs.js";
import { meterKind } from "./measure/cpu-meter.js";
import { isKept, RESULTS, tableOf, writeResults } from "./report.js";
import { runScenarios } from "./run-scenarios.js";
import { SCENARIOS } from "./scenarios/all.js";
import type { BenchOptions } from "./scenarios/scenario.js";

const asked = argumentsOrEnd();
reenterAlone();
const options: BenchOptions = {
  ...asked.options,
  peer: buildPeers(),
  say: (line) => console.error(line),
};
const facts = {
  at: new Date().toISOString(),
  node: process.version,
  cpu: cpus()[0]?.model ?? "unknown",
  cores: cpus().length,
  memoryMib: Math.round(totalmem() / 1024 / 1024),
  openssh: versionOf("ssh"),
  cpuTimeBy: meterKind(),
  ownNetwork: isAlone(),
};

const { measured, failed } = await runScenarios(asked.chosen, options);
console.log(
  `${Object.entries(facts)
    .map(([name, value]) => `${name} ${String(value)}`)
    .join("; ")}\n`,
);
console.log(tableOf(measured));
const base = writeResults(RESULTS, measured, facts);
console.log(`written: ${base}.json, .svg and .txt`);
process.exit(isKept(measured) && failed.length === 0 ? 0 : 1);

function argumentsOrEnd(): BenchArguments {
  try {
    const read = readArguments(process.argv.slice(2), SCENARIOS);
    if (read !== null) return read;
    process.stdout.write(usageOf(SCENARIOS));
    process.exit(0);
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    console.error(`bench: ${said}; \`npm run bench -- --help\` tells what there is`);
    process.exit(2);
  }
}

function versionOf(program: string): string {
  try {
    return execFileSync("sh", ["-c", `${program} -V 2>&1`], { encoding: "utf8" }).trim();
  } catch {
    return "not installed";
  }
}
