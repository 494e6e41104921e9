/** What `npm run bench` is asked to do. */
import { parseArgs } from "node:util";
import { OUR_PROGRAM } from "./fleet/fleet.js";
import type { BenchOptions, Scenario } from "./scenarios/scenario.js";

const USAGE = `npm run bench [-- FLAGS]: measures ours beside the peers that are installed, on this machine alone.

  --only NAME[,NAME]   these scenarios (default: all but those marked *)
  --hosts N            hosts, where a scenario has a number of them
  --runs N             paired rounds
  --quick              a look: few hosts, one round
  --program FILE       the dist/start.cjs that is measured
  --against FILE       another build to run beside it
  --minutes N          of the soak, from when all hosts have had 3 frames (default: 60)
  --server WHICH       what answers the soak and the profile: "recorded" (default): real sshds whose login shell is a
                       static program that answers from a recording, or else the servers would need more cores than
                       this machine has; "shell": real shells and the fake nvidia-smi, as in the other scenarios
  --watcher WHICH      "main" (default): the soak's program on its main thread, whose heap is asked for what is alive;
                       "thread": as a large fleet is watched by default, where memory is what is resident
  -h, --help           this text

The soak writes a line a minute to standard error and to bench/results/soak-<stamp>.ndjson, so that a run that is cut
short has said something. A round that fails three times is left out and counted; a scenario that fails is named, and the next one runs. Exits with
1 when a threshold (bench/thresholds.ts) is missed or a scenario failed, with 2 for a wrong flag.

All of them need Linux, sshd, and root or user namespaces. Peers in Python are looked for in python3 of PATH, then in
/usr/bin/python3: bench/README.md says how to install them. Times are of two cores that others use too.
`;

/** As `parseArgs` takes them. */
export const FLAGS = {
  only: { type: "string" },
  hosts: { type: "string" },
  runs: { type: "string" },
  quick: { type: "boolean", default: false },
  minutes: { type: "string" },
  server: { type: "string", default: "recorded" },
  watcher: { type: "string", default: "main" },
  program: { type: "string", default: OUR_PROGRAM },
  against: { type: "string" },
  help: { type: "boolean", short: "h", default: false },
} as const;

export interface BenchArguments {
  readonly chosen: readonly Scenario[];
  readonly options: Omit<BenchOptions, "peer" | "say">;
}

/** Null: the usage was asked for. Throws an Error that says which flag is wrong, and how. */
export function readArguments(
  args: readonly string[],
  scenarios: readonly Scenario[],
): BenchArguments | null {
  const { values } = parseArgs({ args: [...args], options: FLAGS });
  if (values.help) return null;
  return {
    chosen: chosenOf(values.only, scenarios),
    options: {
      hosts: wholeNumber("--hosts", values.hosts),
      runs: wholeNumber("--runs", values.runs),
      quick: values.quick,
      minutes: wholeNumber("--minutes", values.minutes),
      server: oneOf("--server", values.server, ["recorded", "shell"]),
      watcher: oneOf("--watcher", values.watcher, ["main", "thread"]),
      program: values.program,
      against: values.against ?? null,
    },
  };
}

export function usageOf(scenarios: readonly Scenario[]): string {
  const lines = scenarios.flatMap(({ name, about, needs, takes, isOnlyByName }) => [
    `  ${`${name}${isOnlyByName === true ? " *" : ""}`.padEnd(20)} ${about}${takes === undefined ? "" : `; ${takes}`}`,
    ...(needs === undefined ? [] : [`  ${"".padEnd(20)} needs ${needs}`]),
  ]);
  return `${USAGE}\nScenarios, in the order in which they run (*: only where named):\n\n${lines.join("\n")}\n`;
}

function chosenOf(only: string | undefined, scenarios: readonly Scenario[]): readonly Scenario[] {
  if (only === undefined) return scenarios.filter(({ isOnlyByName }) => isOnlyByName !== true);
  const names = only.split(",");
  const unknown = names.filter((name) => scenarios.every((scenario) => scenario.name !== name));
  if (unknown.length > 0) throw new Error(`--only: there is no scenario ${unknown.join(", ")}`);
  return scenarios.filter(({ name }) => names.includes(name));
}

function wholeNumber(flag: string, text: string | undefined): number | null {
  if (text === undefined) return null;
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1)
    throw new Error(`${flag} is a whole number from 1, not ${text}`);
  return number;
}

function oneOf<Choice extends string>(flag: string, text: string, choices: readonly Choice[]): Choice {
  const chosen = choices.find((choice) => choice === text);
  if (chosen === undefined) throw new Error(`${flag} is ${choices.join(" or ")}, not ${text}`);
  return chosen;
}
