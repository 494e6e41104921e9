/** Reaching one host by its plan: gates, dial, greeting, handshake. */
import type { Connection, Connector } from "../contract/connection.js";
import { HostError } from "../contract/errors.js";
import type { Clock } from "../lib/clock.js";
import type { KeyedLimiter, Limiter } from "../lib/limiter.js";
import { pause } from "../lib/pause.js";
import type { AgentPool } from "./auth/agent.js";
import { findCandidates, type Candidates } from "./auth/identity.js";
import type { KeyFiles } from "./auth/key-file.js";
import { DroppedEarly, greet } from "./dial/greeting.js";
import type { HandshakeGate } from "./dial/handshake-gate.js";
import { openProxyCommand } from "./dial/proxy-command.js";
import { dialDirect, type Dialled } from "./dial/tcp.js";
import { carriedConnection, carriedSession, connectThroughJump } from "./jump/jump.js";
import type { JumpPool, JumpSession } from "./jump/pool.js";
import type { KnownHostsStore } from "./known-hosts/known-hosts.js";
import type { Names } from "./names/names.js";
import { planLabel, type HostPlan } from "./plan/plan.js";
import { loadSsh2, openSession } from "./ssh2/client.js";
import type { Session } from "./ssh2/session.js";

/** What all hosts of a process share. */
export interface SshShared {
  readonly clock: Clock;
  /** Handshakes at once, over all hosts. A server that says nothing takes none. */
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
  /** The fingerprint of the key that a host took last, by host: it is offered first the next time. */
  readonly acceptedKeys: Map<string, string>;
  /** For the operator's eyes, on stderr. */
  warn(message: string): void;
}

/** sshd drops connections from the tenth unauthenticated one on (MaxStartups 10:30:100). */
export const HANDSHAKES_AN_ADDRESS = 8;
/** The work of a handshake is over in a tenth of a second; the rest is waiting. */
const MAX_PERMIT_MS = 1_000;
const DROPPED_RETRIES = 5;
const DROPPED_PAUSE_MS = 150;

/** Reaches the plan's host by ssh2, by whatever way its plan has. */
export function createConnector(plan: HostPlan, shared: SshShared): Connector {
  return {
    connect: (signal) => {
      loadSsh2().catch(() => undefined);
      return connectPlan(plan, shared, signal);
    },
  };
}

async function connectPlan(plan: HostPlan, shared: SshShared, signal: AbortSignal): Promise<Connection> {
  if (plan.way.kind !== "jump") return await connectOverDial(plan, shared, signal);
  const handshake = {
    run: (stream: Dialled["stream"], heard: () => void) => {
      return connectOn({ stream, address: null }, plan, shared, heard, signal);
    },
    carry: carriedConnection,
  };
  return await connectThroughJump(plan, plan.way.hop, jumpDeps(shared), handshake, signal);
}

/** A session with a jump host, itself perhaps behind another. */
async function openJump(hop: HostPlan, shared: SshShared, signal: AbortSignal): Promise<JumpSession> {
  if (hop.way.kind !== "jump") return await connectOverDial(hop, shared, signal);
  const handshake = {
    run: async (stream: Dialled["stream"], heard: () => void): Promise<JumpSession> => {
      return await connectOn({ stream, address: null }, hop, shared, heard, signal);
    },
    carry: carriedSession,
  };
  return await connectThroughJump(hop, hop.way.hop, jumpDeps(shared), handshake, signal);
}

function jumpDeps(shared: SshShared): Parameters<typeof connectThroughJump>[2] {
  const { jumps: pool, clock } = shared;
  return { pool, clock, openSession: (hop, signal) => openJump(hop, shared, signal) };
}

/** Dials again when sshd dropped us for having too many at the door. */
async function connectOverDial(plan: HostPlan, shared: SshShared, signal: AbortSignal): Promise<Session> {
  const release = await shared.perAddress.acquire(addressKey(plan), signal);
  try {
    const untilMs = shared.clock.nowMs() + plan.dialTimeoutMs;
    for (let attempt = 1; ; attempt++) {
      try {
        return await connectOn(await dial(plan, shared, signal), plan, shared, () => undefined, signal);
      } catch (error) {
        const pauseMs = DROPPED_PAUSE_MS * 2 ** (attempt - 1) * (0.5 + Math.random());
        const retry = error instanceof DroppedEarly && attempt <= DROPPED_RETRIES;
        if (!retry || shared.clock.nowMs() + pauseMs > untilMs) throw error;
        await pause(shared.clock, pauseMs, signal);
      }
    }
  } finally {
    release();
  }
}

async function dial(plan: HostPlan, shared: SshShared, signal: AbortSignal): Promise<Dialled> {
  if (plan.way.kind === "command") {
    return {
      stream: openProxyCommand(plan.way.command, { name: "the ProxyCommand", clock: shared.clock }),
      address: null,
    };
  }
  let last: unknown;
  for (let attempt = 0; attempt < Math.max(1, plan.config.connectionAttempts); attempt++) {
    // ssh waits a second between attempts (sshconnect.c: ssh_connect_direct).
    if (attempt > 0) await pause(shared.clock, 1_000, signal);
    try {
      return await dialDirect(plan, shared, signal);
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
  shared: SshShared,
  heard: () => void,
  signal: AbortSignal,
): Promise<Session> {
  const { clock, handshakes } = shared;
  // A socket without a listener for its errors would end the process.
  dialled.stream.on("error", () => undefined);
  try {
    const candidates = findCandidates(plan.identity, shared, plan.handshakeTimeoutMs);
    // Nobody listens yet, and may never where the host says nothing: no reason to end the process.
    candidates.catch(() => undefined);
    await greet(dialled.stream, plan, clock, heard, signal);
    const release = await handshakes.acquire(signal);
    // A server that froze after its greeting must not keep the others waiting.
    const longEnough = clock.after(MAX_PERMIT_MS, release);
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
        },
        signal,
      );
    } finally {
      longEnough.cancel();
      release();
    }
  } catch (error) {
    dialled.stream.destroy();
    throw error;
  }
}

/** A host that came back is reached with the key that opened it last time, whatever else the agent holds. */
function lastAcceptedFirst(found: Candidates, accepted: string | undefined): Candidates {
  if (accepted === undefined) return found;
  const last = found.keys.filter((key) => key.fingerprint === accepted);
  return { ...found, keys: [...last, ...found.keys.filter((key) => key.fingerprint !== accepted)] };
}

function addressKey(plan: HostPlan): string {
  return plan.way.kind === "command" ? `command ${planLabel(plan)}` : `${plan.host}:${plan.port}`;
}
