/**
 * The fuzz campaign: mutations of recordings over every shim and the reader of frames, and random messages over the
 * transport and the channels of a session after its login. Exit status 1 where something is thrown that should not be, or
 * where a case takes more than 50 ms of CPU.
 *
 *   npm run fuzz                        20,000 cases
 *   npm run fuzz -- --cases 1000000     the long form; a hundredth of the cases goes to the transport
 *
 * `--seed N` gives the same cases again.
 */
import { parseArgs } from "node:util";
import { seeded } from "../support/seeded-random.js";
import { fuzzTransport } from "./transport.js";
import { parserSubjects, type Subject } from "./parser-subjects.js";

const MAX_CASE_MS = 50;
/** What was slow is run again: a collection of garbage, or code that is compiled, is no property of the case. */
const AGAIN = 5;
const MAX_PRINTED = 10;

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
    const run = subject.prepare(random);
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

if (!Number.isInteger(cases) || cases < 100 || !Number.isInteger(seed)) {
  print("fuzz: --cases is a whole number from 100, --seed a whole number");
  process.exitCode = 2;
} else {
  print(`fuzz: ${cases} cases, seed ${seed}`);
  const subjects = await parserSubjects();
  const messages = Math.ceil(cases / 100);
  const each = Math.ceil((cases - messages) / subjects.length);
  for (const subject of subjects) {
    const dearest = fuzz(subject, each);
    print(
      `${subject.name.padEnd(14)} ${String(each).padStart(8)} cases, the dearest ${dearest.toFixed(1)} ms`,
    );
  }
  const transport = await fuzzTransport(messages, seeded(seed));
  problems.push(...transport.problems);
  print(
    `transport      ${String(transport.messages).padStart(8)} messages over ${transport.sessions} sessions, ` +
      `${transport.meanMs.toFixed(2)} ms each with the server's part; ends: ${transport.ends}`,
  );
  if (!(transport.meanMs <= MAX_CASE_MS))
    problems.push(`the transport takes ${transport.meanMs.toFixed(0)} ms a message`);
  for (const problem of problems.slice(0, MAX_PRINTED)) print(`PROBLEM ${problem}`);
  if (problems.length > 0) {
    print(`${problems.length} problems`);
    process.exitCode = 1;
  }
}
