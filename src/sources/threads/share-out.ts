/** Which hosts a thread watches, and how many threads a run is worth. */
import type { WatchedTarget } from "../../fleet/identity.js";
import type { HostPlan } from "../../ssh/plan/plan.js";

/**
 * At most `count` lists of about the same length, none of them empty, that hold every host once, in the fleet's order.
 * Hosts that share a connection to a jump host, or an address with its limit of handshakes, stay together.
 */
export function shareOut(
  watched: readonly WatchedTarget[],
  count: number,
): readonly (readonly WatchedTarget[])[] {
  const groups = new Map<string, WatchedTarget[]>();
  for (const each of watched) {
    const key = each.plan === null ? each.target.host : firstDialled(each.plan);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [each]);
    else group.push(each);
  }
  const order = new Map(watched.map((each, position) => [each, position]));
  const lists: WatchedTarget[][] = Array.from({ length: Math.min(count, groups.size) }, () => []);
  // The largest first: what is left evens the lists out.
  for (const group of [...groups.values()].sort((a, b) => b.length - a.length))
    lists.reduce((least, list) => (list.length < least.length ? list : least)).push(...group);
  return lists.map((list) => list.sort((a, b) => (order.get(a) ?? 0) - (order.get(b) ?? 0)));
}

/** The host that a connection goes to first, by name. */
function firstDialled(plan: HostPlan): string {
  return plan.way.kind === "jump" ? firstDialled(plan.way.hop) : plan.host;
}

/** Parts of a limit for all threads together, at least 1 each. */
export function splitLimit(limit: number, parts: number): readonly number[] {
  return Array.from({ length: parts }, (_, part) =>
    Math.max(1, Math.floor(limit / parts) + (part < limit % parts ? 1 : 0)),
  );
}
