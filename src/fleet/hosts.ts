/** The hosts of a fleet: how each one is reached and probed. */
import type { Connection, Connector } from "../contract/connection.js";
import { hostErrorOf } from "../contract/errors.js";
import { localLimit } from "../contract/local-limit.js";
import type { SampleOptions } from "../contract/options.js";
import type { Phase } from "../contract/record.js";
import type { SshOptions } from "../contract/ssh-options.js";
import type { Target } from "../contract/target.js";
import type { LiveHost } from "../host/watch.js";
import type { SessionOptions } from "../remote/discover.js";
import { DriverHold } from "../remote/driver-hold.js";
import { HostSession, type Sample } from "../remote/session.js";
import type { Shim } from "../shims/kit/shim.js";
import type { SshShared } from "../ssh/connector.js";
import { createHostConnector } from "../ssh/host-connector.js";
import type { HostPlan } from "../ssh/plan/plan.js";
import { HOST_SYSTEMS, PLAIN_SYSTEMS } from "../system/registry.js";
import type { WatchedTarget } from "./identity.js";
import type { FleetHost } from "./pipeline.js";

/**
 * `intervalMs`: sessions keep a shell open between ticks; null for a run of one. `note` is told what is done on a host
 * beside asking it. `planAgain` is for hosts that have no plan yet.
 */
export function fleetHosts(
  watched: readonly WatchedTarget[],
  ssh: SshOptions,
  sample: SampleOptions,
  shims: readonly Shim[],
  shared: SshShared,
  intervalMs: number | null,
  debug: (message: string) => void,
  planAgain: PlanAgain = () => Promise.reject(new Error("the host has no plan")),
): readonly FleetHost[] {
  const session: SessionOptions = {
    sample,
    shims,
    systems: HOST_SYSTEMS,
    plainSystems: PLAIN_SYSTEMS,
    clock: shared.clock,
    intervalMs,
  };
  return watched.map((host) => {
    const { identity } = host;
    const connector = connectorOf(host, ssh, shared, planAgain);
    const isHeld = intervalMs !== null && sample.holdDriver === "auto";
    const hold = isHeld ? new DriverHold((message) => debug(`${identity.hostId}: ${message}`)) : null;
    return { identity, reach: (signal) => reachHost(connector, session, hold, signal) };
  });
}

/** Plans a target as it was to be planned when the run began. Rejects for whatever keeps it from a plan. */
export type PlanAgain = (target: Target) => Promise<HostPlan>;

/** Made at the first attempt that comes to it; anew with each one while ssh would not even connect. */
function connectorOf(
  { target, plan }: WatchedTarget,
  options: SshOptions,
  shared: SshShared,
  planAgain: PlanAgain,
): () => Promise<Connector> {
  let made: Connector | null = null;
  return async () => {
    if (made !== null) return made;
    const settled = plan ?? (await planAgain(target));
    const connector = createHostConnector({ target, plan: settled, options }, shared);
    if (settled.refusal === undefined) made = connector;
    return connector;
  };
}

/** Plans, connects, probes, takes the first sample. Throws HostError, or the signal's reason; leaves nothing open then. */
async function reachHost(
  connectorOfHost: () => Promise<Connector>,
  options: SessionOptions,
  hold: DriverHold | null,
  signal: AbortSignal,
): Promise<{ readonly live: LiveHost; readonly first: Sample }> {
  const connector = await inPhase("resolve", signal, connectorOfHost);
  const connection = await inPhase("dial", signal, () => connector.connect(signal));
  const giveUp = (): void => void connection.close();
  signal.addEventListener("abort", giveUp, { once: true });
  try {
    const { session, first } = await inPhase("probe", signal, () =>
      HostSession.start(connection, options, hold),
    );
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

/** What `step` throws as a failure of the host in that phase, or the signal's reason. */
async function inPhase<Value>(phase: Phase, signal: AbortSignal, step: () => Promise<Value>): Promise<Value> {
  try {
    return await step();
  } catch (error) {
    signal.throwIfAborted();
    throw localLimit(error, phase, "this host cannot be reached") ?? hostErrorOf(error, phase);
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
