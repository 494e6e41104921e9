/** How many descriptors the hosts of a run may have, where the limit of this process is too low for all of them. */
import type { OperatorLog } from "../contract/operator-log.js";
import type { Options } from "../contract/options.js";
import type { WatchedTarget } from "../fleet/identity.js";
import { openFilesShortage } from "../fleet/open-files.js";
import { openFilesLimit } from "../lib/open-files.js";

/** The descriptors for connections, where there are too few for all hosts, which is a warning; null: enough. */
export function openFilesFor(
  watched: readonly WatchedTarget[],
  { ssh, length, source }: Pick<Options, "ssh" | "length" | "source">,
  log: OperatorLog,
): number | null {
  // The demo's servers are in this process.
  if (source.kind === "demo") return null;
  const limit = openFilesLimit();
  const shortage = openFilesShortage(watched, ssh.client === "openssh", limit);
  if (shortage === null) return null;
  const { needed, free } = shortage;
  const effect =
    length.kind === "once" ? "hosts are read one after another" : "hosts beyond that have local-limit";
  log.warn(
    `this process may have ${limit} open files, and ${watched.length} hosts need ${needed}: raise \`ulimit -n\`; until then ${free} are for connections, and ${effect}`,
  );
  return free;
}
