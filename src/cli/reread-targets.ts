/** The hosts of a command line, and the same again later, when their files have changed. */
import { UsageError } from "../contract/errors.js";
import type { RereadTargets } from "../contract/runtime-deps.js";
import type { UniqueTargets } from "../targets/hostfile.js";
import { Problems } from "./flag-reader.js";
import { readTargets, type HostsGiven, type ReadTextFile } from "./read-targets.js";
import type { Environment } from "./run-program.js";

export interface TargetsReader {
  /** Errors are added to `problems`. */
  readonly read: (problems: Problems) => Promise<UniqueTargets>;
  /** Null where no host comes from a file, an inventory or a program. */
  readonly reread: RereadTargets | null;
}

/** Standard input is read once: its hosts stay. */
export function targetsReader(
  given: HostsGiven,
  readTextFile: ReadTextFile,
  env: Environment,
): TargetsReader {
  let standardInput: Promise<string> | null = null;
  const readText: ReadTextFile = (file) =>
    file === "-" ? (standardInput ??= readTextFile(file)) : readTextFile(file);
  const read = (problems: Problems): Promise<UniqueTargets> => readTargets(given, readText, env, problems);
  const reread: RereadTargets = async () => {
    const problems = new Problems();
    const found = await read(problems);
    if (problems.list.length > 0) throw new UsageError(problems.list);
    return found;
  };
  const canChange = given.from.length > 0 || given.files.some((file) => file !== "-");
  return { read, reread: canChange ? reread : null };
}
