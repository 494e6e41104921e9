/**
 * The fuzz campaign: mutations of recordings over every shim, the reader of frames, encrypted streams, the layer of messages
 * and channels, and a session over the network. Exit status 1 where something is thrown that should not be, or where a case
 * takes more than 50 ms of CPU.
 *
 *   npm run fuzz                        20,000 cases
 *   npm run fuzz -- --cases 1000000     the long form
 *
 * A tenth of the cases goes to messages, a tenth to encrypted streams, a hundredth to the network, a hundredth is guided by
 * coverage. `--seed N` gives the same cases again.
 */
import { parseArgs } from "node:util";
import { seeded } from "../support/seeded-random.js";
import { Coverage } from "./coverage.js";
import { runCovered } from "./guided.js";
import { fuzzMessages } from "./message-layer.js";
import { packetSubjects } from "./packet-layer.js";
import { parserSubjects, type Subject } from "./parser-subjects.js";
import { recordMessages } from "./recorded-messages.js";
import { fuzzTransport } from "./transport.js";

const MAX_CASE_MS = 50;
/** What was slow is run again: a collection of garbage, or code that is compiled, is no property of the case. */
const AGAIN = 5;
const MAX_PRINTED = 10;
const MIN_CASES = 1000;

const { values } = parseArgs({
  options: {
    cases: { type: "string", default: "20000" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
  },
});
const cases = Number(values.cases);
const seed = Number(values.seed);
const problems: string[] = [];

function cpuMs(run: () => void): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** The dearest case in ms of CPU. */
function fuzz(subject: Subject, count: number): number {
  const random = seeded(seed + subject.name.length * 7919);
  let dearest = 0;
  for (let index = 0; index < count; index++) {
    const { run } = subject.prepare(random);
    try {
      let ms = cpuMs(run);
      for (let again = 0; ms > MAX_CASE_MS && again < AGAIN; again++) ms = Math.min(ms, cpuMs(run));
      dearest = Math.max(dearest, ms);
      if (ms > MAX_CASE_MS) problems.push(`${subject.name}, case ${index}: ${ms.toFixed(0)} ms`);
    } catch (error) {
      problems.push(
        `${subject.name}, case ${index}: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }
  return dearest;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function row(name: string, count: number, rest: string): void {
  print(`${name.padEnd(14)} ${String(count).padStart(8)} ${rest}`);
}

function fuzzSubjects(subjects: readonly Subject[], count: number): void {
  const each = Math.ceil(count / subjects.length);
  for (const subject of subjects)
    row(subject.name, each, `cases, the dearest ${fuzz(subject, each).toFixed(1)} ms`);
}

/** As many cases blind and guided, of the same seeds: what guidance adds. */
async function fuzzGuided(count: number): Promise<void> {
  const coverage = new Coverage();
  let [blind, guided, kept] = [0, 0, 0];
  const names = (await parserSubjects()).map(({ name }) => name);
  const each = Math.ceil(count / names.length);
  for (const name of names) {
    for (const isGuided of [false, true]) {
      // New ones each time: none knows what another has kept.
      const subject = (await parserSubjects()).find((one) => one.name === name);
      if (subject === undefined) continue;
      const reached = runCovered(coverage, subject, each, seeded(seed + name.length), isGuided);
      problems.push(...reached.problems);
      if (isGuided) {
        guided += reached.blocks;
        kept += reached.kept;
      } else blind += reached.blocks;
    }
  }
  coverage.stop();
  row("guided", each * names.length, `cases reach ${guided} blocks, blind ones ${blind}; ${kept} were kept`);
}

if (!Number.isInteger(cases) || cases < MIN_CASES || !Number.isInteger(seed)) {
  print(`fuzz: --cases is a whole number from ${MIN_CASES}, --seed a whole number`);
  process.exitCode = 2;
} else {
  print(`fuzz: ${cases} cases, seed ${seed}`);
  const [tenth, hundredth] = [Math.ceil(cases / 10), Math.ceil(cases / 100)];
  const recorded = await recordMessages();
  await fuzzGuided(hundredth);
  fuzzSubjects(await parserSubjects(), cases - 2 * tenth - 2 * hundredth);
  fuzzSubjects(await packetSubjects([...recorded.session, ...recorded.others]), tenth);
  const messages = await fuzzMessages(tenth, recorded, seeded(seed), MAX_CASE_MS);
  problems.push(...messages.problems);
  row(
    "messages",
    tenth,
    `cases of ${messages.messages} messages, the dearest ${messages.dearestMs.toFixed(1)} ms; ends: ${messages.ends}`,
  );
  const transport = await fuzzTransport(hundredth, seeded(seed));
  problems.push(...transport.problems);
  row(
    "network",
    transport.messages,
    `messages over ${transport.sessions} sessions, ${transport.meanMs.toFixed(2)} ms each with the server's part; ends: ${transport.ends}`,
  );
  if (!(transport.meanMs <= MAX_CASE_MS))
    problems.push(`the network takes ${transport.meanMs.toFixed(0)} ms a message`);
  for (const problem of problems.slice(0, MAX_PRINTED)) print(`PROBLEM ${problem}`);
  if (problems.length > 0) {
    print(`${problems.length} problems`);
    process.exitCode = 1;
  }
}
