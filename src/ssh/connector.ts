/** Reaching one host by its plan: limits, dial, greeting, handshake. */
import type { Connection, Connector } from "../contract/connection.js";
import { HostError } from "../contract/errors.js";
import type { StepLog } from "../contract/step-log.js";
import { pause } from "../lib/abort.js";
import type { Clock } from "../lib/clock.js";
import type { KeyedLimiter, Limiter } from "../lib/limiter.js";
import type { AgentPool } from "./auth/agent.js";
import { findCandidates, type Candidates } from "./auth/identity.js";
import type { KeyFiles } from "./auth/key-file.js";
import { retryDropped } from "./dial/dropped-retry.js";
import { DroppedEarly, greet } from "./dial/greeting.js";
import type { HandshakeGate } from "./dial/handshake-gate.js";
import { openProxyCommand } from "./dial/proxy-command.js";
import { dialDirect, type Dialled, type SocketReads } from "./dial/tcp.js";
import { carriedConnection, carriedSession, connectThroughJump, type JumpDeps } from "./jump/jump.js";
import type { JumpPool, JumpSession } from "./jump/pool.js";
import type { KnownHostsStore } from "./known-hosts/known-hosts.js";
import type { Names } from "./names/names.js";
import { planLabel, type HostPlan } from "./plan/plan.js";
import { loadSsh2, openSession } from "./ssh2/client.js";
import type { FastPaths } from "./ssh2/fast/fast-paths.js";
import type { Session } from "./ssh2/session.js";

/** What all hosts of a process share. */
export interface SshShared {
  readonly clock: Clock;
  /** A number in [0, 1), for the backoff after dropped connections. */
  readonly random: () => number;
  /** Handshakes at once, over all hosts. A server that sends nothing takes none. */
  readonly handshakes: Limiter;
  /** Unauthenticated connections at once to one address. */
  readonly perAddress: KeyedLimiter;
  readonly agents: AgentPool;
  readonly keys: KeyFiles;
  readonly knownHosts: KnownHostsStore;
  readonly jumps: JumpPool;
  readonly names: Names;
  /** Processes of the system's `ssh` that are in a handshake. */
  readonly processes: HandshakeGate;
  /** The fingerprint of the key that a host accepted last, by host: it is offered first the next time. */
  readonly acceptedKeys: Map<string, string>;
  /** Warnings for the operator, on stderr. */
  warn(message: string): void;
  /** What is only there to be fast; absent: the same by plain code. */
  readonly fast?: { readonly sessions: FastPaths; readonly reads: SocketReads } | undefined;
}

/** sshd drops connections from the tenth unauthenticated one on (MaxStartups 10:30:100). */
export const HANDSHAKES_AN_ADDRESS = 8;
/** The work of a handshake takes a tenth of a second; the rest is waiting. */
const MAX_PERMIT_MS = 1_000;
/** ssh waits a second between the attempts of ConnectionAttempts (sshconnect.c: ssh_connect_direct). */
const CONNECTION_ATTEMPT_PAUSE_MS = 1_000;

/** What reaching one host has at hand; its jump hosts are reached with the same. */
interface Reach {
  readonly shared: SshShared;
  readonly step: StepLog | undefined;
}

/** Reaches the plan's host by ssh2, by whatever way its plan has. `step` takes the steps of this host's connections. */
export function createConnector(plan: HostPlan, shared: SshShared, step?: StepLog): Connector {
  return {
    connect: (signal) => {
      loadSsh2(shared.fast?.sessions).catch(() => undefined);
      return connectPlan(plan, { shared, step }, signal);
    },
  };
}

async function connectPlan(plan: HostPlan, reach: Reach, signal: AbortSignal): Promise<Connection> {
  if (plan.way.kind !== "jump") return await connectOverDial(plan, reach, signal);
  const handshake = {
    run: (stream: Dialled["stream"], firstByte: () => void) => {
      return connectOn({ stream, address: null }, plan, reach, firstByte, signal);
    },
    carry: carriedConnection,
  };
  return await connectThroughJump(plan, plan.way.hop, jumpDeps(reach), handshake, signal);
}

/** A session with a jump host, itself perhaps behind another. */
async function openJump(hop: HostPlan, reach: Reach, signal: AbortSignal): Promise<JumpSession> {
  if (hop.way.kind !== "jump") return await connectOverDial(hop, reach, signal);
  const handshake = {
    run: async (stream: Dialled["stream"], firstByte: () => void): Promise<JumpSession> => {
      return await connectOn({ stream, address: null }, hop, reach, firstByte, signal);
    },
    carry: carriedSession,
  };
  return await connectThroughJump(hop, hop.way.hop, jumpDeps(reach), handshake, signal);
}

function jumpDeps(reach: Reach): JumpDeps {
  const { jumps: pool, clock, random } = reach.shared;
  const openSession: JumpDeps["openSession"] = (hop, signal) => openJump(hop, forHop(hop, reach), signal);
  return { pool, clock, random, step: reach.step, openSession };
}

/** The steps of a jump host's own session carry its name; the target that opens the session logs them. */
function forHop(hop: HostPlan, { shared, step }: Reach): Reach {
  if (step === undefined) return { shared, step };
  return { shared, step: (area, text) => step(area, `jump host ${planLabel(hop)}: ${text}`) };
}

/** Dials again when sshd dropped us because of too many unauthenticated connections. */
async function connectOverDial(plan: HostPlan, reach: Reach, signal: AbortSignal): Promise<Session> {
  const { clock, random, perAddress } = reach.shared;
  const release = await perAddress.acquire(addressKey(plan), signal);
  try {
    const untilMs = clock.nowMs() + plan.dialTimeoutMs;
    const isDropped = (error: unknown): boolean => error instanceof DroppedEarly;
    const attempt = async (): Promise<Session> =>
      await connectOn(await dial(plan, reach, signal), plan, reach, () => undefined, signal);
    return await retryDropped(attempt, { clock, random, isDropped, untilMs }, signal);
  } finally {
    release();
  }
}

async function dial(plan: HostPlan, { shared, step }: Reach, signal: AbortSignal): Promise<Dialled> {
  const { clock, names, fast } = shared;
  if (plan.way.kind === "command") {
    step?.("ssh", `starting the ProxyCommand: ${plan.way.command}`);
    const stream = openProxyCommand(plan.way.command, { name: "the ProxyCommand", clock });
    return { stream, address: null };
  }
  let last: unknown;
  for (let attempt = 0; attempt < Math.max(1, plan.config.connectionAttempts); attempt++) {
    if (attempt > 0) await pause(clock, CONNECTION_ATTEMPT_PAUSE_MS, signal);
    try {
      return await dialDirect(plan, { clock, names, reads: fast?.reads, step }, signal);
    } catch (error) {
      if (!(error instanceof HostError) || error.failure.phase === "resolve") throw error;
      last = error;
    }
  }
  throw last;
}

async function connectOn(
  dialled: Dialled,
  plan: HostPlan,
  { shared, step }: Reach,
  firstByte: () => void,
  signal: AbortSignal,
): Promise<Session> {
  const { clock, handshakes } = shared;
  // A socket without a listener for its errors would end the process.
  dialled.stream.on("error", () => undefined);
  try {
    const candidates = findCandidates(plan.identity, shared, plan.handshakeTimeoutMs);
    // Nobody awaits it yet, and nobody ever may where the host sends nothing: its failure must not end the process.
    candidates.catch(() => undefined);
    await greet(dialled.stream, plan, { clock, firstByte, step }, signal);
    const release = await handshakes.acquire(signal);
    // A server that froze after its greeting must not keep the others waiting.
    const permitTimer = clock.after(MAX_PERMIT_MS, release);
    try {
      return await openSession(
        {
          plan,
          dialled,
          knownHosts: shared.knownHosts.open(plan.knownHosts),
          candidates: candidates.then((found) =>
            lastAcceptedFirst(found, shared.acceptedKeys.get(planLabel(plan))),
          ),
          clock,
          accepted: (fingerprint) => {
            if (fingerprint !== null) shared.acceptedKeys.set(planLabel(plan), fingerprint);
          },
          warn: (message) => shared.warn(message),
          fast: shared.fast?.sessions,
          step,
        },
        signal,
      );
    } finally {
      permitTimer.cancel();
      release();
    }
  } catch (error) {
    dialled.stream.destroy();
    throw error;
  }
}

/** A host that is reached again is offered the key that it accepted last time first, whatever else the agent holds. */
function lastAcceptedFirst(found: Candidates, accepted: string | undefined): Candidates {
  if (accepted === undefined) return found;
  const last = found.keys.filter((key) => key.fingerprint === accepted);
  return { ...found, keys: [...last, ...found.keys.filter((key) => key.fingerprint !== accepted)] };
}

function addressKey(plan: HostPlan): string {
  return plan.way.kind === "command" ? `command ${planLabel(plan)}` : `${plan.host}:${plan.port}`;
}
