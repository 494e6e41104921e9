/** `--dry-run`: what would be done with each host, without connecting to any. */
import { UsageError } from "../contract/errors.js";
import type { OperatorLog } from "../contract/operator-log.js";
import type { Options } from "../contract/options.js";
import type { RuntimeDeps } from "../contract/runtime-deps.js";
import type { Target } from "../contract/target.js";
import { targetPlanner } from "../fleet/open-fleet.js";
import { isOfShard } from "../fleet/shard.js";
import { unlessAborted } from "../lib/abort.js";
import type { Clock } from "../lib/clock.js";
import { cleanText } from "../lib/text.js";
import { EXIT } from "../outcome/tally.js";
import type { PlannedTarget, UnplannedTarget } from "../fleet/identity.js";
import { LoginForecast } from "../ssh/login-forecast.js";
import { openNames } from "../ssh/names/resolver-pool.js";
import { createSshShared } from "../ssh/shared.js";
import { describePlans, scriptTexts } from "./describe-plan.js";
import { outputOf } from "./output.js";

/** So many hosts are planned at a time: their plans, some 10 KiB each, are garbage soon. */
const MIN_PLANNED = 25;
/** The same where planning waits for something, as for names that are looked up: more wait together then. */
const MAX_PLANNED = 10_000;
const SLOW_MS = 1000;
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
  const targets = shard === null ? source.targets : source.targets.filter((each) => isOfShard(each, shard));
  const names = openNames(programs.resolver, clock);
  const shared = createSshShared(clock, options.ssh.concurrency, () => undefined);
  const forecast = new LoginForecast(shared);
  const failing: string[] = [];
  try {
    const planning = targetPlanner(options, { env, clock, names }, log.fault);
    const plan = await unlessAborted(planning, signal);
    // Hosts are of one script together: that needs all of them.
    const parts = planInParts(targets, plan, options.script ? targets.length : MIN_PLANNED, clock, signal);
    let first = await parts.next();
    const output = await outputOf(options, deps);
    try {
      for (; first.done !== true; first = await parts.next()) {
        const planned = first.value;
        if (options.script) {
          for await (const text of scriptTexts(planned, options, clock)) await output.write(text);
          continue;
        }
        const described = await describePlans(planned, options, shared, forecast, log.fault);
        await output.write(described.map(({ text }) => text).join(""));
        for (const { host, isReady } of described) if (!isReady) failing.push(host);
      }
    } finally {
      await output.close();
    }
  } finally {
    names.close();
    shared.agents.close();
  }
  if (failing.length === 0) return EXIT.ok;
  const named = failing.slice(0, MAX_NAMED).join(", ") + (failing.length > MAX_NAMED ? ", ..." : "");
  const hosts = `${failing.length} of ${targets.length} ${targets.length === 1 ? "host" : "hosts"}`;
  if (verbosity !== "quiet") log.warn(cleanText(`${hosts} cannot be logged in to as things are: ${named}`));
  return EXIT.someFailed;
}

type Planned = PlannedTarget | UnplannedTarget;

/** Plans of all targets, in order, `count` at a time at first. Throws ConfigError, or the signal's reason. */
async function* planInParts(
  targets: readonly Target[],
  plan: (targets: readonly Target[]) => Promise<readonly Planned[]>,
  count: number,
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<readonly Planned[], void> {
  let size = count;
  for (let at = 0; at < targets.length;) {
    const beganAtMs = clock.nowMs();
    const planned = await unlessAborted(plan(targets.slice(at, at + size)), signal);
    at += size;
    if (clock.nowMs() - beganAtMs > SLOW_MS) size = Math.max(size, MAX_PLANNED);
    yield planned;
  }
}
