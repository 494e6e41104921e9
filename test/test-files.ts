/**
 * Which test files are quick: they start no program, need no build and measure no growth, so that many run in one process.
 * This is read from a file's imports and from those of the support files that it uses.
 */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/** The folder of the sources, also for the compiled copy of this file, whose own name is `import.meta.filename`. */
const HERE = dirname(fileURLToPath(import.meta.url));
const IS_COMPILED = import.meta.filename.endsWith(".js");

/** Every file of tests, sorted. */
const testFiles: readonly string[] = readdirSync(HERE, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".test.ts"))
  .map((name) => join(HERE, name))
  .sort();

type Needs = "nothing" | "programs" | "processor time";

const needsByFile = new Map<string, Needs>();

/** What a test file, or a file of test/ that it imports, needs. */
function needsOf(file: string): Needs {
  const known = needsByFile.get(file);
  if (known !== undefined) return known;
  needsByFile.set(file, "nothing");
  const text = readFileSync(file, "utf8");
  const imported = [...text.matchAll(/(?:from|import) "(\.[^"]+)\.js"/g)]
    .map(([, to = ""]) => resolve(dirname(file), `${to}.ts`))
    .filter((to) => to.startsWith(`${HERE}/`))
    .map(needsOf);
  const needs = /support\/growth\.js/.test(text)
    ? "processor time"
    : /from "node:(child_process|worker_threads)"|\bPROGRAM\b/.test(text)
      ? "programs"
      : (imported.find((need) => need !== "nothing") ?? "nothing");
  needsByFile.set(file, needs);
  return needs;
}

const filesThatNeed = (needs: Needs): readonly string[] =>
  testFiles.filter((file) => needsOf(file) === needs);

/** What to run for a source of test/: its compiled copy, if this is one, or the source itself, by tsx. */
export function runnable(file: string): string {
  if (!IS_COMPILED) return file;
  return join(dirname(import.meta.filename), relative(HERE, file).replace(/\.ts$/, ".js"));
}

/** The folders of the test commands that are not `npm test`. */
const CAMPAIGNS = { faults: "fault", nightly: "nightly" } as const;

export type Campaign = keyof typeof CAMPAIGNS;

const isIn = (file: string, campaign: Campaign): boolean =>
  file.startsWith(join(HERE, CAMPAIGNS[campaign], "/"));

const isUsual = (file: string): boolean => !isIn(file, "faults") && !isIn(file, "nightly");

/** The tests of one folder: faults of real servers, or checks that need foreign programs and minutes. */
export const testsOf = (campaign: Campaign): readonly string[] =>
  testFiles.filter((file) => isIn(file, campaign));

/** What loads the processor for minutes: growth, and the properties that PROPERTY_RUNS tries more often. */
export const LONG_TESTS: readonly string[] = testFiles.filter(
  (file) =>
    needsOf(file) === "processor time" ||
    /support\/(property-runs|parser-properties)\.js/.test(readFileSync(file, "utf8")),
);

/** The two processes for the quick tests: a start for each file would cost more than most of them. */
export const QUICK_HALVES = [join(HERE, "quick/first-half.ts"), join(HERE, "quick/second-half.ts")];

/** They take 15 to 50 seconds each, mostly asleep, the longest first: started last, they would be waited for alone. */
const LONGEST = [
  "ssh/live/live.test.ts",
  "process/prometheus.test.ts",
  "process/real-hosts.test.ts",
  "process/step-log.test.ts",
  "process/pipe.test.ts",
  "process/odd-shells.test.ts",
  "process/kernel-events.test.ts",
  "process/signals.test.ts",
  "process/without-accelerator.test.ts",
  "ssh/ssh2/session.test.ts",
  "remote/event-looks.test.ts",
  "ssh/live/control-master.test.ts",
].map((name) => join(HERE, name));

/** What `npm test` runs, the longest first; the quick halves, which load the processor, do not begin at the same time. */
export function usualTests(): readonly string[] {
  const rank = (file: string): number => (LONGEST.includes(file) ? LONGEST.indexOf(file) : LONGEST.length);
  const waiting = filesThatNeed("programs")
    .filter(isUsual)
    .sort((a, b) => rank(a) - rank(b));
  const [first = "", second = ""] = QUICK_HALVES;
  const third = Math.ceil(waiting.length / 3);
  return [first, ...waiting.slice(0, third), second, ...waiting.slice(third)];
}

/** Runs one half of the quick tests in this process. */
export async function runQuickTests(half: 0 | 1): Promise<void> {
  for (const [index, file] of filesThatNeed("nothing").filter(isUsual).entries())
    if (index % 2 === half) await import(pathToFileURL(runnable(file)).href);
}
