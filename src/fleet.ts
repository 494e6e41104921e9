/** Targets to the hosts of a fleet: who each one is in the records, and how it is reached and probed. */
import type { FleetHost } from "./pipeline.js";
import type { SampleOptions } from "./options.js";
import type { HostIdentity } from "./host/host-record.js";
import type { LiveHost } from "./host/watch.js";
import type { SessionOptions } from "./remote/discover.js";
import { DriverHold } from "./remote/driver-hold.js";
import { HostSession, type Sample } from "./remote/session.js";
import type { Shim } from "./shims/shim.js";
import type { Connection, Connector } from "./ssh/connection.js";
import type { SshShared } from "./ssh/connector.js";
import { createHostConnector } from "./ssh/host-connector.js";
import type { HostPlan } from "./ssh/plan.js";
import type { SshOptions } from "./ssh/ssh-options.js";
import { HOST_SYSTEMS, PLAIN_SYSTEMS } from "./system/registry.js";
import type { Target } from "./targets/target.js";

export interface PlannedTarget {
  readonly target: Target;
  readonly plan: HostPlan;
}

/** One host of a fleet whose hosts are all known. Plain data: it may go to another thread. */
export interface WatchedTarget extends PlannedTarget {
  readonly identity: HostIdentity;
}

/**
 * `intervalMs`: sessions keep a shell open between ticks; null for a run of one. `note` is told what is done on a host
 * beside asking it.
 */
export function fleetHosts(
  watched: readonly WatchedTarget[],
  ssh: SshOptions,
  sample: SampleOptions,
  shims: readonly Shim[],
  shared: SshShared,
  intervalMs: number | null,
  note: (words: string) => void,
): readonly FleetHost[] {
  const session: SessionOptions = {
    sample,
    shims,
    systems: HOST_SYSTEMS,
    plainSystems: PLAIN_SYSTEMS,
    clock: shared.clock,
    intervalMs,
  };
  return watched.map(({ identity, target, plan }) => {
    const connector = createHostConnector({ target, plan, options: ssh }, shared);
    const isHeld = intervalMs !== null && sample.holdDriver === "auto";
    const hold = isHeld ? new DriverHold((words) => note(`${identity.hostId}: ${words}`)) : null;
    return { identity, reach: (signal) => reachHost(connector, session, hold, signal) };
  });
}

/** Leaves out targets whose config says what they leave open, and so are the same as an earlier one; tells of each. */
export function withoutTwins(
  planned: readonly PlannedTarget[],
  warn: (message: string) => void,
): readonly PlannedTarget[] {
  const first = new Map<string, PlannedTarget>();
  for (const each of planned) {
    const twin = first.get(typedId(each));
    if (twin === undefined) first.set(typedId(each), each);
    else {
      const where = `${each.target.origin}: ${each.target.host}`;
      warn(
        `${where} is ${typedId(each)}, as ${twin.target.host} at ${twin.target.origin}; it is watched once`,
      );
    }
  }
  return [...first.values()];
}

/**
 * `user@host:port` as resolved. Two targets that resolve to the same (private addresses behind different jump hosts)
 * are told apart by the name that was typed.
 */
export function identify(planned: readonly PlannedTarget[]): readonly WatchedTarget[] {
  const claims = new Map<string, Set<PlannedTarget>>();
  const claim = (id: string, by: PlannedTarget): void => {
    claims.set(id, (claims.get(id) ?? new Set()).add(by));
  };
  for (const each of planned) {
    claim(resolvedId(each), each);
    claim(typedId(each), each);
  }
  return planned.map((each) => {
    const { target, plan } = each;
    const typed = typedId(each);
    const resolved = resolvedId(each);
    const identity = {
      hostId: claims.get(resolved)?.size === 1 ? resolved : typed,
      target: `ssh://${plan.port === 22 ? typed.slice(0, typed.lastIndexOf(":")) : typed}`,
      hostname: target.host,
      labels: target.labels,
    };
    return { ...each, identity };
  });
}

const resolvedId = ({ plan }: PlannedTarget): string => hostId(plan.user, plan.host, plan.port);
const typedId = ({ target, plan }: PlannedTarget): string => hostId(plan.user, target.host, plan.port);

function hostId(user: string, host: string, port: number): string {
  return `${user}@${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** Connects, probes, takes the first sample. Throws HostError, or the signal's reason; leaves nothing open then. */
async function reachHost(
  connector: Connector,
  options: SessionOptions,
  hold: DriverHold | null,
  signal: AbortSignal,
): Promise<{ readonly live: LiveHost; readonly first: Sample }> {
  const connection = await connector.connect(signal);
  const giveUp = (): void => void connection.close();
  signal.addEventListener("abort", giveUp, { once: true });
  try {
    const { session, first } = await HostSession.start(connection, options, hold);
    signal.throwIfAborted();
    return { live: liveHost(connection, session), first };
  } catch (error) {
    await connection.close();
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener("abort", giveUp);
  }
}

function liveHost(connection: Connection, session: HostSession): LiveHost {
  return {
    get route() {
      return { transport: session.transport, client: connection.client, channel: session.channelMode };
    },
    sample: (tick) => session.sample(tick),
    lost: connection.lost,
    close: async () => {
      session.close();
      await connection.close();
    },
  };
}
