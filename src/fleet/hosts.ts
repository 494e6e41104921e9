/** The hosts of a fleet: how each one is reached and probed. */
import type { Connection, Connector } from "../contract/connection.js";
import { HostError, hostErrorOf } from "../contract/errors.js";
import type { FactsStore } from "../contract/facts-store.js";
import { localLimit } from "../contract/local-limit.js";
import type { SampleOptions } from "../contract/options.js";
import { TICK_SECTIONS, type Phase } from "../contract/record.js";
import type { SshOptions } from "../contract/ssh-options.js";
import type { StepLog } from "../contract/step-log.js";
import type { Target } from "../contract/target.js";
import { TOOL_LABEL } from "../contract/tool-path.js";
import type { LiveHost } from "../host/link.js";
import { onAbort } from "../lib/abort.js";
import type { Clock } from "../lib/clock.js";
import type { SessionOptions } from "../remote/discover.js";
import type { FactsPlace } from "../remote/kept-facts.js";
import { DriverHold } from "../remote/driver-hold.js";
import { EventLooks } from "../remote/event-looks.js";
import { HostSession } from "../remote/session.js";
import type { Shim } from "../shims/kit/shim.js";
import { toolNamed } from "../shims/registry.js";
import type { SshShared } from "../ssh/connector.js";
import { createHostConnector } from "../ssh/host-connector.js";
import type { HostPlan } from "../ssh/plan/plan.js";
import { HOST_SYSTEMS, PLAIN_SYSTEMS } from "../system/registry.js";
import type { WatchedTarget } from "./identity.js";
import { factsPlace } from "./kept-facts.js";
import { descriptorsOf, withOpenFiles, type OpenFiles } from "./open-files.js";
import type { FleetHost } from "./pipeline.js";

export interface HostsOptions {
  readonly ssh: SshOptions;
  readonly sample: SampleOptions;
  /** Vendor tools in the order they are tried. */
  readonly shims: readonly Shim[];
  /** Sessions keep a shell open between ticks; null for a run of one tick. */
  readonly intervalMs: number | null;
  /** Takes what is done on a host beside reading it. */
  readonly debug: (message: string) => void;
  /** The step log of each host; undefined: off. */
  readonly stepLogOf?: (hostId: string) => StepLog | undefined;
  /** For hosts that have no plan yet. */
  readonly planAgain?: PlanAgain;
  /** Where there are too few for all hosts at a time. */
  readonly openFiles?: OpenFiles | null;
  /** Facts that are kept between runs; absent or null: none are. */
  readonly facts?: FactsStore | null;
}

/** Plans a target again, as when the run began. Rejects with whatever prevents a plan. */
export type PlanAgain = (target: Target) => Promise<HostPlan>;

/** Nothing is connected before a host's `reach` is called. */
export function fleetHosts(
  watched: readonly WatchedTarget[],
  options: HostsOptions,
  shared: SshShared,
): readonly FleetHost[] {
  const { sample, intervalMs, debug, openFiles = null } = options;
  const sessionOf = sessionsByPaths(sessionOptions(options, shared.clock));
  return watched.map((host) => {
    const { identity } = host;
    const session = sessionOf(host.target.labels);
    const step = options.stepLogOf?.(identity.hostId);
    const plain = connectorOf(host, options, shared, step);
    const count = descriptorsOf(host.plan, options.ssh.client === "openssh");
    const connector = openFiles === null ? plain : async () => withOpenFiles(await plain(), openFiles, count);
    const isHeld = intervalMs !== null && sample.holdDriver === "auto";
    const hold = isHeld ? new DriverHold((message) => debug(`${identity.hostId}: ${message}`)) : null;
    const looks = sample.include.has("event") ? new EventLooks(shared.clock) : null;
    const beside = {
      ...{ hold, looks },
      factsOf: (connection: Connection) => factsPlace(options.facts ?? null, connection, identity.hostId),
    };
    if (step === undefined)
      return { identity, reach: (signal) => reachHost(connector, session, beside, signal) };
    const own = { ...session, step };
    return { identity, reach: (signal) => withSteps(reachHost(connector, own, beside, signal), step) };
  });
}

/** What the sessions of all hosts have in common. */
export function sessionOptions(
  { sample, shims, intervalMs }: Pick<HostsOptions, "sample" | "shims" | "intervalMs">,
  clock: Clock,
): SessionOptions {
  return {
    // The kernel log is no part of a tick.
    sample: { ...sample, include: new Set(TICK_SECTIONS.filter((section) => sample.include.has(section))) },
    shims,
    systems: HOST_SYSTEMS,
    plainSystems: PLAIN_SYSTEMS,
    clock,
    intervalMs,
  };
}

/**
 * The options of a host's sessions, by its labels `tool.NAME`. Hosts with the same paths share one object: the first script
 * is put together once for each.
 */
export function sessionsByPaths(
  common: SessionOptions,
): (labels: Readonly<Record<string, string>>) => SessionOptions {
  const made = new Map<string, SessionOptions>();
  return (labels) => {
    const own = toolPathsIn(labels);
    if (own.length === 0) return common;
    const toolPaths = { ...common.sample.toolPaths, ...Object.fromEntries(own) };
    const key = JSON.stringify(Object.entries(toolPaths).sort());
    const session = made.get(key) ?? { ...common, sample: { ...common.sample, toolPaths } };
    made.set(key, session);
    return session;
  };
}

/** By id the paths that a host's labels \`tool.NAME\` give. */
export function toolPathsIn(
  labels: Readonly<Record<string, string>>,
): readonly (readonly [string, string])[] {
  return Object.entries(labels).flatMap(([label, path]) => {
    if (!label.startsWith(TOOL_LABEL)) return [];
    const tool = toolNamed(label.slice(TOOL_LABEL.length));
    return tool === undefined ? [] : [[tool.id, path] as const];
  });
}

/** The connector is made once, by the first attempt that gets a plan; with each attempt while ssh refuses the plan. */
function connectorOf(
  { target, plan }: WatchedTarget,
  { ssh, planAgain }: HostsOptions,
  shared: SshShared,
  step: StepLog | undefined,
): () => Promise<Connector> {
  let made: Connector | null = null;
  return async () => {
    if (made !== null) return made;
    const settled = plan ?? (await planAgain?.(target));
    if (settled === undefined) throw new Error("the host has no plan");
    const connector = createHostConnector({ target, plan: settled, options: ssh, step }, shared);
    if (settled.refusal === undefined) made = connector;
    return connector;
  };
}

/** Plans, connects, probes, takes the first sample. Throws HostError, or the signal's reason; leaves nothing open then. */
async function reachHost(
  connectorOfHost: () => Promise<Connector>,
  options: SessionOptions,
  { hold, looks, factsOf }: BesideReading,
  signal: AbortSignal,
): Promise<Reached> {
  const connector = await inPhase("resolve", signal, connectorOfHost);
  const connection = await inPhase("dial", signal, () => connector.connect(signal));
  const stopListening = onAbort(signal, () => void connection.close());
  try {
    const { session, first } = await inPhase("probe", signal, () =>
      HostSession.start(connection, options, { hold, looks, facts: factsOf(connection) }),
    );
    signal.throwIfAborted();
    return { live: new SessionHost(connection, session, looks), first };
  } catch (error) {
    await connection.close();
    signal.throwIfAborted();
    throw error;
  } finally {
    stopListening();
  }
}

/** What a host has beside its connections, which follow one another. */
interface BesideReading {
  readonly hold: DriverHold | null;
  readonly looks: EventLooks | null;
  readonly factsOf: (connection: Connection) => FactsPlace | null;
}

type Reached = Awaited<ReturnType<FleetHost["reach"]>>;

/** Logs how an attempt to reach the host ended. */
async function withSteps(attempt: Promise<Reached>, step: StepLog): Promise<Reached> {
  try {
    const reached = await attempt;
    step("remote", `first reading taken over ${reached.live.route.client}`);
    return reached;
  } catch (error) {
    if (error instanceof HostError) {
      const { phase, code } = error.failure;
      step(phase === "probe" ? "remote" : "ssh", `failed in ${phase}: ${code}: ${error.message}`);
    }
    throw error;
  }
}

/** Turns what `act` throws into a failure of the host in that phase, or into the signal's reason. */
async function inPhase<Value>(phase: Phase, signal: AbortSignal, act: () => Promise<Value>): Promise<Value> {
  try {
    return await act();
  } catch (error) {
    signal.throwIfAborted();
    throw localLimit(error, phase, "this host cannot be reached") ?? hostErrorOf(error, phase);
  }
}

class SessionHost implements LiveHost {
  constructor(
    private readonly connection: Connection,
    private readonly session: HostSession,
    private readonly looks: EventLooks | null,
  ) {}

  get route(): LiveHost["route"] {
    const { transport, channelMode: channel } = this.session;
    return { transport, client: this.connection.client, channel };
  }

  get lost(): LiveHost["lost"] {
    return this.connection.lost;
  }

  sample(tick: number): ReturnType<LiveHost["sample"]> {
    return this.session.sample(tick);
  }

  takeEvents(): ReturnType<NonNullable<LiveHost["takeEvents"]>> {
    return this.looks?.take() ?? null;
  }

  async close(): Promise<void> {
    this.session.close();
    await this.connection.close();
  }
}
