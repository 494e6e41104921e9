/** Live hosts as a source: on this thread, or on threads of their own. */
import { isIP } from "node:net";
import type { OperatorLog } from "../contract/operator-log.js";
import type { Options, OutputFormat } from "../contract/options.js";
import type { Target } from "../contract/target.js";
import { unlessAborted } from "../lib/abort.js";
import type { Stream, SourceDeps } from "./source.js";
import { threadCount } from "./threads/thread-count.js";

/** Plans all hosts, then starts to watch them. Throws ConfigError or UsageError before anything is connected. */
export async function openLive(
  options: Options,
  targets: readonly Target[],
  format: OutputFormat,
  deps: SourceDeps,
  log: OperatorLog,
  signal: AbortSignal,
): Promise<Stream> {
  const { clock, random, env } = deps;
  const beginMs = clock.nowMs();
  const { openNames } = await import("../ssh/names/resolver-pool.js");
  const names = openNames(deps.resolverProgram, clock);
  // What starts for it takes as long as what is loaded next: a run of one reading would wait for it.
  if (options.ssh.client !== "openssh" && threadCount(options, format, targets.length) === 0) {
    if (targets.some(isDnsName)) names.expect();
  }
  const { planFleet, openFleet } = await import("../fleet/open-fleet.js");
  const planning = planFleet(options, targets, { env, clock, names }, log.warn, log.fault);
  const watched = await unlessAborted(planning, signal).catch((error: unknown) => {
    names.close();
    throw error;
  });
  const count = threadCount(options, format, watched.length);
  if (count > 0) {
    names.close();
    const { openThreads } = await import("./open-threads.js");
    return openThreads(options, watched, format, { ...deps, count, beginMs, log, signal });
  }
  const fleet = await openFleet(options, watched, { clock, random, names, beginMs, ...log }, signal);
  const close = (): Promise<void> => {
    fleet.close();
    return Promise.resolve();
  };
  return { kind: "records", batches: fleet.batches, hostCount: watched.length, close };
}

/** A name without a dot may be an alias of the config, and have an address there. */
function isDnsName({ host }: Target): boolean {
  return host.includes(".") && isIP(host) === 0;
}
