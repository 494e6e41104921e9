/** `--dry-run`: what would be done with each host, without connecting to any. */
import { UsageError } from "../contract/errors.js";
import type { OperatorLog } from "../contract/operator-log.js";
import type { Options } from "../contract/options.js";
import type { RuntimeDeps } from "../contract/runtime-deps.js";
import { planTargets } from "../fleet/open-fleet.js";
import { isOfShard } from "../fleet/shard.js";
import { unlessAborted } from "../lib/abort.js";
import { cleanText } from "../lib/text.js";
import { EXIT } from "../outcome/tally.js";
import { openNames } from "../ssh/names/resolver-pool.js";
import { describePlans, scriptTexts } from "./describe-plan.js";
import { outputOf } from "./output.js";

/** Hosts that the last line names. */
const MAX_NAMED = 5;

/**
 * Writes a text for each host, or with `--script` the scripts that would run there. Returns 3 where a host cannot be
 * logged in to as things are, else 0.
 */
export async function runDryRun(
  options: Options,
  deps: RuntimeDeps,
  log: OperatorLog,
  signal: AbortSignal,
): Promise<number> {
  const { source, shard, verbosity } = options;
  if (source.kind !== "targets")
    throw new UsageError(["--dry-run: needs hosts; give --ssh or --ssh-hostfile with it"]);
  const { clock, env, programs } = deps;
  const names = openNames(programs.resolver, clock);
  const planning = planTargets(options, source.targets, { env, clock, names }, log.fault);
  const all = await unlessAborted(planning, signal).finally(() => names.close());
  const planned = shard === null ? all : all.filter(({ target }) => isOfShard(target, shard));
  const output = await outputOf(options, deps);
  const failing: string[] = [];
  try {
    if (options.script)
      for await (const text of scriptTexts(planned, options, clock)) await output.write(text);
    else
      for await (const { host, text, isReady } of describePlans(planned, options, clock, log.fault)) {
        await output.write(text);
        if (!isReady) failing.push(host);
      }
  } finally {
    await output.close();
  }
  if (failing.length === 0) return EXIT.ok;
  const named = failing.slice(0, MAX_NAMED).join(", ") + (failing.length > MAX_NAMED ? ", ..." : "");
  const hosts = `${failing.length} of ${planned.length} ${planned.length === 1 ? "host" : "hosts"}`;
  if (verbosity !== "quiet") log.warn(cleanText(`${hosts} cannot be logged in to as things are: ${named}`));
  return EXIT.someFailed;
}
