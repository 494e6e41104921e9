/** The targets of every flag that gives hosts, together, each once, less those left out and not selected. */
import type { Target } from "../contract/target.js";
import { failureReason } from "../lib/error-code.js";
import { excludeTargets, type Exclusion } from "../targets/exclude.js";
import { parseHostfile, targetsOf, uniqueTargets, type UniqueTargets } from "../targets/hostfile.js";
import { HostBudget } from "../targets/hostlist.js";
import { isSelected, parseSelectors } from "../targets/select.js";
import type { Problems } from "./flag-reader.js";
import { localLookups } from "./lookups.js";
import type { Environment } from "./run-program.js";

/** `-` is standard input. Rejects with the error of the file system. */
export type ReadTextFile = (file: string) => Promise<string>;

export interface HostsGiven {
  /** Arguments without a flag: one hostlist each. */
  readonly operands: readonly string[];
  /** Of `--ssh`: hostlists. */
  readonly lists: readonly string[];
  /** Paths, `-` for standard input. */
  readonly files: readonly string[];
  /** Of `--ssh-from`. */
  readonly from: readonly string[];
  /** Of `--select`. */
  readonly selectors: readonly string[];
  /** Of `--ssh-config`. */
  readonly configFile: string | null;
}

/** Errors are added to `problems`. */
export async function readTargets(
  given: HostsGiven,
  readTextFile: ReadTextFile,
  env: Environment,
  problems: Problems,
): Promise<UniqueTargets> {
  const lookups = localLookups(env, given.configFile);
  const budget = new HostBudget();
  const found: Target[] = [];
  const warnings: string[] = [];
  const excluded: Exclusion[] = [];
  const add = (targets: readonly Target[]): void => {
    // Not spread into push: a list may be 100,000 hosts.
    for (const target of targets) found.push(target);
  };
  const lists = [
    ...given.lists.map((text) => ({ text, origin: "--ssh" })),
    ...given.operands.map((text) => ({ text, origin: "command line" })),
  ];
  for (const { text, origin } of lists) {
    const list = await targetsOf(text, origin, lookups, budget);
    add(list.targets);
    for (const problem of list.problems) problems.add(`${origin}: ${problem}`);
    for (const name of list.excluded) excluded.push({ text: name, origin });
  }
  if (given.files.filter((file) => file === "-").length > 1)
    problems.add("--ssh-hostfile: standard input (-) can be read once; give it once");
  for (const file of new Set(given.files)) {
    const name = file === "-" ? "<stdin>" : file;
    const text = await readTextFile(file).catch((error: unknown) => {
      problems.add(`--ssh-hostfile: cannot read ${name}: ${failureReason(error)}`);
      return undefined;
    });
    if (text === undefined) continue;
    const parsed = await parseHostfile(text, name, lookups, budget);
    add(parsed.targets);
    warnings.push(...parsed.warnings);
    for (const problem of parsed.problems) problems.add(problem);
  }
  for (const source of given.from) {
    const { readFrom } = await import("./read-inventory.js");
    const listed = await readFrom(source, { env, readTextFile, lookups, budget });
    add(listed.targets);
    warnings.push(...listed.warnings);
    for (const problem of listed.problems) problems.add(problem);
  }
  const kept = excludeTargets(found, excluded);
  const unique = uniqueTargets(select(kept.targets, given.selectors, problems));
  if (found.length > 0 && kept.targets.length === 0)
    problems.add("entries with ^ leave out every host; no host is left to watch");
  return { targets: unique.targets, warnings: [...warnings, ...kept.warnings, ...unique.warnings] };
}

function select(targets: readonly Target[], texts: readonly string[], problems: Problems): readonly Target[] {
  const selectors = texts.flatMap((text) => {
    const parsed = parseSelectors(text);
    if (typeof parsed !== "string") return parsed;
    problems.add(`--select: ${parsed}`);
    return [];
  });
  const selected = targets.filter((target) => isSelected(target, selectors));
  if (targets.length > 0 && selected.length === 0 && problems.list.length === 0)
    problems.add(`--select: no host has ${texts.join(" and ")}; labels are set in the hostfile or inventory`);
  return selected;
}
