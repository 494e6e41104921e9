/** Live hosts as a source: on this thread, or on threads of their own. */
import { isIP } from "node:net";
import type { Words } from "../contract/operator-log.js";
import type { Options, OutputFormat } from "../contract/options.js";
import type { Target } from "../contract/target.js";
import { unlessAborted } from "../lib/abort.js";
import type { Stream, Sources } from "./source.js";
import { threadCount } from "./threads/thread-count.js";

/** Plans all hosts, then starts to watch them. Throws ConfigError or UsageError before anything is connected. */
export async function openLive(
  options: Options,
  targets: readonly Target[],
  format: OutputFormat,
  sources: Sources,
  words: Words,
  signal: AbortSignal,
): Promise<Stream> {
  const { clock, random, env } = sources;
  const beginMs = clock.nowMs();
  const { openNames } = await import("../ssh/names/resolver-pool.js");
  const names = openNames(sources.resolverProgram, clock);
  // What starts for it takes as long as what is loaded next: a run of one reading would wait for it.
  if (options.ssh.client !== "openssh" && threadCount(options, format, targets.length) === 0) {
    if (targets.some(isDnsName)) names.expect();
  }
  const { planFleet, openFleet } = await import("../fleet/open-fleet.js");
  const planning = planFleet(options, targets, { env, clock, names }, words.warn, words.fault);
  const watched = await unlessAborted(planning, signal).catch((error: unknown) => {
    names.close();
    throw error;
  });
  const count = threadCount(options, format, watched.length);
  if (count > 0) {
    names.close();
    const { openThreads } = await import("./open-threads.js");
    return openThreads(options, watched, format, { ...sources, count, beginMs, words, signal });
  }
  const fleet = await openFleet(options, watched, { clock, random, names, beginMs, ...words }, signal);
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
