/** What becomes of a fleet when its list of hosts is read again. Plain data: it may go to another thread. */
import { TOOL_LABEL } from "../contract/tool-path.js";
import type { HostIdentity } from "../host/host-record.js";
import type { WatchedTarget } from "./identity.js";

export interface RemovedHost {
  readonly hostId: string;
  /** For the host's last record. */
  readonly message: string;
}

export interface FleetChange {
  /** One that is among the removed, too, is connected to again after its watch has ended. */
  readonly added: readonly WatchedTarget[];
  readonly removed: readonly RemovedHost[];
  /** The hosts that stay connected and have other labels, or another name that was typed for them. */
  readonly renamed: readonly HostIdentity[];
}

const GONE = "the list of hosts was read again and does not have it any more";
const OTHER_TOOLS = "its labels tool.NAME have changed; it is connected again";

/** From the hosts that are watched to those that shall be. A host is the same where its `host_id` is. */
export function fleetChange(before: readonly WatchedTarget[], after: readonly WatchedTarget[]): FleetChange {
  const old = new Map(before.map((each) => [each.identity.hostId, each]));
  const added: WatchedTarget[] = [];
  const removed: RemovedHost[] = [];
  const renamed: HostIdentity[] = [];
  for (const each of after) {
    const { identity } = each;
    const same = old.get(identity.hostId);
    old.delete(identity.hostId);
    if (same === undefined) added.push(each);
    else if (toolsOf(same) !== toolsOf(each)) {
      removed.push({ hostId: identity.hostId, message: OTHER_TOOLS });
      added.push(each);
    } else if (textOf(same.identity) !== textOf(identity)) renamed.push(identity);
  }
  for (const hostId of old.keys()) removed.push({ hostId, message: GONE });
  return { added, removed, renamed };
}

/** The part of a share's hosts; `added` is shared out by the caller. */
export function changeOf(
  change: FleetChange,
  isOwn: (hostId: string) => boolean,
  added: readonly WatchedTarget[],
): FleetChange {
  return {
    added,
    removed: change.removed.filter(({ hostId }) => isOwn(hostId)),
    renamed: change.renamed.filter(({ hostId }) => isOwn(hostId)),
  };
}

/** Where tools are, which a session is started with. */
function toolsOf({ target }: WatchedTarget): string {
  return JSON.stringify(
    Object.entries(target.labels)
      .filter(([label]) => label.startsWith(TOOL_LABEL))
      .sort(),
  );
}

/** The order of labels is one of the records, too. */
function textOf({ target, hostname, labels }: HostIdentity): string {
  return JSON.stringify([target, hostname, Object.entries(labels)]);
}
