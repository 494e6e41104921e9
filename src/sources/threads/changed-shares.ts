/** Which thread takes which part of a change of the fleet. */
import { changeOf, type FleetChange } from "../../fleet/fleet-change.js";
import type { WatchedTarget } from "../../fleet/identity.js";
import { groupOf } from "./shares.js";

export interface ChangedShare {
  /** The hosts of the thread after the change. */
  readonly watched: readonly WatchedTarget[];
  /** Null: nothing changes for the thread. */
  readonly change: FleetChange | null;
}

/**
 * One for each of `shares`. A host that is added goes where others share its way (a jump host, an address with its limit of
 * handshakes), and a host that is connected to again stays where it was; others go to the thread with the fewest hosts.
 */
export function shareOfChange(
  change: FleetChange,
  shares: readonly (readonly WatchedTarget[])[],
): readonly ChangedShare[] {
  const own = shares.map((watched) => new Set(watched.map(({ identity }) => identity.hostId)));
  const gone = new Set(change.removed.map(({ hostId }) => hostId));
  const lists = shares.map((watched) => watched.filter(({ identity }) => !gone.has(identity.hostId)));
  const added: WatchedTarget[][] = shares.map(() => []);
  for (const each of change.added) {
    const place = placeOf(each, own, lists);
    lists[place]?.push(each);
    added[place]?.push(each);
  }
  return lists.map((watched, place) => {
    const part = changeOf(change, (hostId) => own[place]?.has(hostId) === true, added[place] ?? []);
    const isNone = part.added.length + part.removed.length + part.renamed.length === 0;
    return { watched, change: isNone ? null : part };
  });
}

function placeOf(
  each: WatchedTarget,
  own: readonly ReadonlySet<string>[],
  lists: readonly (readonly WatchedTarget[])[],
): number {
  const before = own.findIndex((ids) => ids.has(each.identity.hostId));
  if (before !== -1) return before;
  const group = groupOf(each);
  const together = lists.findIndex((list) => list.some((other) => groupOf(other) === group));
  if (together !== -1) return together;
  return lists.reduce((least, list, place) => (list.length < (lists[least]?.length ?? 0) ? place : least), 0);
}
