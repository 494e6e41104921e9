/** The targets of `--ssh` and `--ssh-hostfile` together, each once. */
import type { Target } from "../contract/target.js";
import { parseHostfile, uniqueTargets, type UniqueTargets } from "../targets/hostfile.js";
import { parseTarget } from "../targets/parse-target.js";
import type { Problems } from "./flag-reader.js";

/** `-` is standard input. Rejects with the error of the file system. */
export type ReadTextFile = (file: string) => Promise<string>;

/** `lists`: comma lists; `files`: paths, `-` for standard input. Errors are added to `problems`. */
export async function readTargets(
  given: { readonly lists: readonly string[]; readonly files: readonly string[] },
  readTextFile: ReadTextFile,
  problems: Problems,
): Promise<UniqueTargets> {
  const targets: Target[] = [];
  for (const text of given.lists.flatMap((list) => list.split(","))) {
    const parsed = parseTarget(text.trim(), "--ssh");
    if (parsed.kind === "target") targets.push(parsed.target);
    else problems.add(`--ssh: ${parsed.problem}`);
  }
  if (given.files.filter((file) => file === "-").length > 1) {
    problems.add("--ssh-hostfile: standard input (-) can be read once; give it once");
    return uniqueTargets(targets);
  }
  for (const file of given.files) {
    const name = file === "-" ? "<stdin>" : file;
    const text = await readTextFile(file).catch((error: unknown) => {
      problems.add(
        `--ssh-hostfile: cannot read ${name}: ${error instanceof Error ? error.message : String(error)}`,
      );
      return undefined;
    });
    if (text === undefined) continue;
    const parsed = parseHostfile(text, name);
    targets.push(...parsed.targets);
    for (const problem of parsed.problems) problems.add(problem);
  }
  return uniqueTargets(targets);
}
