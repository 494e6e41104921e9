/** The identity of each host of a fleet in the records, and which targets are the same host. */
import type { Target } from "../contract/target.js";
import type { HostIdentity } from "../host/host-record.js";
import type { HostPlan } from "../ssh/plan/plan.js";

export interface PlannedTarget {
  readonly target: Target;
  readonly plan: HostPlan;
}

/**
 * A target that could not be planned (a name that ssh gives up on, a limit of this machine, a fault of ours). It is
 * planned again with each attempt to reach it.
 */
export interface UnplannedTarget {
  readonly target: Target;
  readonly plan: null;
  /** What prevented a plan, in one line. */
  readonly why: string;
  /** The user of this process: the login name where the target names none. */
  readonly localUser: string;
}

/** One host of a fleet, with its identity. Plain data: it may go to another thread. */
export type WatchedTarget = (PlannedTarget | UnplannedTarget) & { readonly identity: HostIdentity };

/** Leaves out targets that are the same as an earlier one once ssh_config has filled them in. Warns of each. */
export function dedupeTargets<Each extends PlannedTarget | UnplannedTarget>(
  planned: readonly Each[],
  warn: (message: string) => void,
): readonly Each[] {
  const first = new Map<string, Each>();
  for (const each of planned) {
    const same = first.get(typedId(each));
    if (same === undefined) first.set(typedId(each), each);
    else {
      const where = `${each.target.origin}: ${each.target.host}`;
      warn(
        `${where} is the same host as ${same.target.host} at ${same.target.origin} (${typedId(each)}); it is watched once`,
      );
    }
  }
  return [...first.values()];
}

/**
 * Host ids are `user@host:port` as resolved. Targets that resolve to the same id (private addresses behind different jump
 * hosts) have the typed name in it instead.
 */
export function assignHostIds(
  planned: readonly (PlannedTarget | UnplannedTarget)[],
): readonly WatchedTarget[] {
  const claims = new Map<string, Set<PlannedTarget | UnplannedTarget>>();
  const claim = (id: string, by: PlannedTarget | UnplannedTarget): void => {
    claims.set(id, (claims.get(id) ?? new Set()).add(by));
  };
  for (const each of planned) {
    claim(resolvedId(each), each);
    claim(typedId(each), each);
  }
  return planned.map((each) => {
    const { target } = each;
    const typed = typedId(each);
    const resolved = resolvedId(each);
    const identity = {
      hostId: claims.get(resolved)?.size === 1 ? resolved : typed,
      target: `ssh://${namesOf(each).port === 22 ? typed.slice(0, typed.lastIndexOf(":")) : typed}`,
      hostname: target.host,
      labels: target.labels,
    };
    return { ...each, identity };
  });
}

function resolvedId(each: PlannedTarget | UnplannedTarget): string {
  const { user, host, port } = namesOf(each);
  return hostId(user, host, port);
}

function typedId(each: PlannedTarget | UnplannedTarget): string {
  const { user, port } = namesOf(each);
  return hostId(user, each.target.host, port);
}

/** From the plan; without one, as typed. */
function namesOf(each: PlannedTarget | UnplannedTarget): Pick<HostPlan, "user" | "host" | "port"> {
  if (each.plan !== null) return each.plan;
  const { user = each.localUser, host, port = 22 } = each.target;
  return { user, host, port };
}

function hostId(user: string, host: string, port: number): string {
  return `${user}@${host.includes(":") ? `[${host}]` : host}:${port}`;
}
