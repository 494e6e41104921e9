/**
 * `npm run bench [-- FLAGS]`: measures ours beside the peers that are installed, on this machine alone.
 *
 *     --only NAME[,NAME]   these scenarios (default: all short ones)
 *     --hosts N            hosts, where a scenario has a number of them
 *     --runs N             paired rounds
 *     --quick              a look: few hosts, one round
 *     --program FILE       the dist/start.cjs that is measured
 *     --against FILE       another build to run beside it
 *
 * `profile`, `workers` and `soak` run only when they are named: `--only soak --hosts 2000 --minutes 60`. The soak writes
 * a line a minute to standard error and to bench/results/soak-<stamp>.ndjson, so that a run that is cut short has said
 * something.
 *
 *     --minutes N          from when all hosts have had 3 frames (default: 60)
 *     --server WHICH       what answers the soak and the profile: `recorded` (default): real sshds whose login shell is a
 *                          static program that answers from a recording, or else the servers would need more cores than
 *                          this machine has; `shell`: real shells and the fake nvidia-smi, as in the other scenarios
 *     --watcher WHICH      `main` (default): the soak's program on its main thread, whose heap is asked for what is alive;
 *                          `thread`: as a large fleet is watched by default, where memory is what is resident
 *
 * Exits with 1 when a threshold is missed.
 */
import { execFileSync } from "node:child_process";
import { cpus, totalmem } from "node:os";
import { parseArgs } from "node:util";
import { isAlone, OUR_PROGRAM, reenterAlone } from "./fleet/fleet.js";
import { buildPeers } from "./fleet/peer-programs.js";
import { meterKind } from "./measure/cpu-meter.js";
import type { Measured } from "./measure/figures.js";
import { isKept, RESULTS, tableOf, writeResults } from "./report.js";
import { SCENARIOS } from "./scenarios/all.js";
import type { BenchOptions } from "./scenarios/scenario.js";

reenterAlone();
const { values } = parseArgs({
  options: {
    only: { type: "string" },
    hosts: { type: "string" },
    runs: { type: "string" },
    quick: { type: "boolean", default: false },
    minutes: { type: "string" },
    server: { type: "string", default: "recorded" },
    watcher: { type: "string", default: "main" },
    program: { type: "string", default: OUR_PROGRAM },
    against: { type: "string" },
  },
});
const names =
  values.only?.split(",") ??
  SCENARIOS.filter(({ isOnlyByName }) => isOnlyByName !== true).map(({ name }) => name);
const unknown = names.filter((name) => SCENARIOS.every((scenario) => scenario.name !== name));
if (unknown.length > 0) {
  console.error(
    `no scenario ${unknown.join(", ")}; there are: ${SCENARIOS.map(({ name, about }) => `${name} (${about})`).join(", ")}`,
  );
  process.exit(2);
}

const options: BenchOptions = {
  hosts: wholeNumber(values.hosts),
  runs: wholeNumber(values.runs),
  quick: values.quick,
  minutes: wholeNumber(values.minutes),
  server: oneOf("--server", values.server, ["recorded", "shell"]),
  watcher: oneOf("--watcher", values.watcher, ["main", "thread"]),
  program: values.program,
  against: values.against ?? null,
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

const parts: Measured[] = [];
for (const scenario of SCENARIOS) {
  if (!names.includes(scenario.name)) continue;
  console.error(`== ${scenario.name}: ${scenario.about}`);
  parts.push(await scenario.run(options));
}
const measured: Measured = {
  figures: parts.flatMap((part) => part.figures),
  series: parts.flatMap((part) => part.series ?? []),
  notes: parts.flatMap((part) => part.notes ?? []),
};
console.log(
  `${Object.entries(facts)
    .map(([name, value]) => `${name} ${String(value)}`)
    .join("; ")}\n`,
);
console.log(tableOf(measured));
const base = writeResults(RESULTS, measured, facts);
console.log(`written: ${base}.json, .svg and .txt`);
process.exit(isKept(measured) ? 0 : 1);

function wholeNumber(text: string | undefined): number | null {
  if (text === undefined) return null;
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new Error(`${text} is not a whole number`);
  return number;
}

function oneOf<Choice extends string>(flag: string, text: string, choices: readonly Choice[]): Choice {
  const chosen = choices.find((choice) => choice === text);
  if (chosen === undefined) throw new Error(`${flag} is ${choices.join(" or ")}, not ${text}`);
  return chosen;
}

function versionOf(program: string): string {
  try {
    return execFileSync("sh", ["-c", `${program} -V 2>&1`], { encoding: "utf8" }).trim();
  } catch {
    return "not installed";
  }
}
