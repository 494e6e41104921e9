/** A hostlist to its hosts, as `--ssh` takes it, for the library. */
import { UsageError } from "../contract/errors.js";
import { excludeTargets } from "../targets/exclude.js";
import { targetsOf, uniqueTargets } from "../targets/hostfile.js";
import { HostBudget } from "../targets/hostlist.js";
import { targetText } from "../targets/parse-target.js";
import { localLookups } from "./lookups.js";
import type { Environment } from "./run-program.js";

/** `[user@]host[:port]` of each host, once, less those that `^` leaves out. Rejects with UsageError, with every problem. */
export async function hostsOfList(
  text: string,
  env: Environment,
  configFile: string | null,
): Promise<readonly string[]> {
  const origin = "hostlist";
  const list = await targetsOf(text, origin, localLookups(env, configFile), new HostBudget());
  const exclusions = list.excluded.map((name) => ({ text: name, origin }));
  const { targets } = uniqueTargets(excludeTargets(list.targets, exclusions).targets);
  const problems = list.problems.map((problem) => `${origin}: ${problem}`);
  if (targets.length === 0 && problems.length === 0) problems.push(`${origin}: no host is left to watch`);
  if (problems.length > 0) throw new UsageError(problems);
  return targets.map(targetText);
}
