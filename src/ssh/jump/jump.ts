/** ProxyJump: connections to hosts behind others, over shared sessions (ssh_config(5), ssh.c of OpenSSH 9.2). */
import type { Duplex } from "node:stream";
import type { Connection } from "../../contract/connection.js";
import { HostError } from "../../contract/errors.js";
import type { StepLog } from "../../contract/step-log.js";
import { onAbort } from "../../lib/abort.js";
import type { Clock, Timer } from "../../lib/clock.js";
import { deadlineAfter } from "../../lib/deadline.js";
import { retryDropped } from "../dial/dropped-retry.js";
import { DroppedEarly } from "../dial/greeting.js";
import { planLabel, type HostPlan } from "../plan/plan.js";
import { forwardFailure, jumpFailure, lostWithJump } from "./failure.js";
import type { JumpLease, JumpPool, JumpSession } from "./pool.js";

/** How long after a carried stream the loss of its jump session may be reported. */
const LOSS_DELAY_MS = 100;

/** What the connector provides to reach a jump host like any other host. */
export interface JumpDeps {
  readonly pool: JumpPool;
  readonly clock: Clock;
  /** A number in [0, 1), for the backoff after dropped connections. */
  readonly random: () => number;
  readonly step?: StepLog | undefined;
  /** Reaches the hop by its own way, which may itself be a jump: then by `connectThroughJump`. */
  openSession(hop: HostPlan, signal: AbortSignal): Promise<JumpSession>;
}

/** How a connection ends: by itself (`lost`) or by us (`close`). */
export type Lifetime = Pick<Connection, "lost" | "close">;

/** The handshake on the stream to the target. */
export interface TargetHandshake<T extends Lifetime> {
  /** Calls `firstByte` at the target's first byte. */
  run(stream: Duplex, firstByte: () => void): Promise<T>;
  /** The connection with another lifetime: `carriedConnection` or `carriedSession`. */
  carry(inner: T, lifetime: Lifetime): T;
}

/**
 * Reaches the target through its jump hosts and runs `handshake` on the stream, holding a place in the jump host's gate.
 * The jump session is shared, and released when the connection is closed or lost. Throws HostError, or the signal's reason.
 */
export async function connectThroughJump<T extends Lifetime>(
  target: HostPlan,
  hop: HostPlan,
  deps: JumpDeps,
  handshake: TargetHandshake<T>,
  signal: AbortSignal,
): Promise<T> {
  const name = planLabel(hop);
  deps.step?.("ssh", `jump host ${name}: joining or opening its session`);
  const opening = deps.pool.acquire(sessionKey(hop), (stop) => deps.openSession(hop, stop), signal);
  const lease = await opening.catch((error: unknown) => {
    throw error instanceof HostError ? jumpFailure(name, error) : error;
  });
  try {
    const connection = await reachTarget(lease, target, name, deps, handshake, signal);
    return handshake.carry(connection, shareOf(connection, lease, name, deps.clock));
  } catch (error) {
    const jumpLost = error instanceof HostError ? await lossBehind(error, lease, deps.clock) : null;
    lease.release();
    throw jumpLost === null ? error : lostWithJump(name, jumpLost);
  }
}

/** Tries again when the target's sshd dropped us: others may come through the same jump host. */
function reachTarget<T extends Lifetime>(
  lease: JumpLease,
  target: HostPlan,
  name: string,
  { clock, random, step }: JumpDeps,
  handshake: TargetHandshake<T>,
  signal: AbortSignal,
): Promise<T> {
  const isDropped = (error: unknown): boolean => error instanceof DroppedEarly && lease.lostBy() === null;
  const attempt = async (): Promise<T> => {
    const place = await lease.gate.enter(`${target.host}:${target.port}`, signal);
    try {
      step?.("ssh", `jump host ${name}: connecting to ${target.host} port ${target.port}`);
      const stream = await forward(lease, target, name, clock, signal);
      step?.("ssh", `jump host ${name}: connected to ${target.host} port ${target.port}`);
      return await handshake.run(stream, () => place.received());
    } finally {
      place.leave();
    }
  };
  return retryDropped(attempt, { clock, random, isDropped }, signal);
}

/**
 * Why the jump session was lost, when that is what ended a connection over it; null when the session is alive. The carried
 * stream often closes a moment before the loss of the session is reported.
 */
async function lossBehind(error: HostError, lease: JumpLease, clock: Clock): Promise<HostError | null> {
  if (lease.lostBy() !== null || error.failure.code !== "connection-lost") return lease.lostBy();
  let timer: Timer | null = null;
  const soon = new Promise<null>((resolve) => (timer = clock.after(LOSS_DELAY_MS, () => resolve(null))));
  const lost = await Promise.race([lease.session.lost, soon]);
  (timer as Timer | null)?.cancel();
  return lost;
}

/** Two targets share a session when every hop on the way is the same, under the same name. */
function sessionKey(hop: HostPlan): string {
  const way = hop.way.kind === "jump" ? sessionKey(hop.way.hop) : JSON.stringify(hop.way);
  return `${hop.config.originalHost} ${planLabel(hop)} via ${way}`;
}

async function forward(
  lease: JumpLease,
  target: HostPlan,
  name: string,
  clock: Clock,
  signal: AbortSignal,
): Promise<Duplex> {
  const limitMs = target.dialTimeoutMs;
  const stop = new AbortController();
  const stopListening = onAbort(signal, (reason) => stop.abort(reason));
  const late = new HostError(
    "connect-timeout",
    "dial",
    `jump host ${name} made no connection to ${target.host}:${target.port} within ${limitMs / 1000} s`,
  );
  const timer = deadlineAfter(clock, limitMs, () => stop.abort(late));
  try {
    return await lease.session.forward(target.host, target.port, stop.signal);
  } catch (error) {
    if (error instanceof HostError || stop.signal.aborted || !(error instanceof Error)) throw error;
    throw forwardFailure(name, target, error.message);
  } finally {
    timer.cancel();
    stopListening();
  }
}

/** The lifetime of a connection that holds its share of the jump session until it ends. */
function shareOf(inner: Lifetime, lease: JumpLease, name: string, clock: Clock): Lifetime {
  return {
    lost: inner.lost.then(async (error) => {
      const jumpLost = await lossBehind(error, lease, clock);
      lease.release();
      return jumpLost === null ? error : lostWithJump(name, jumpLost);
    }),
    close: async () => {
      await inner.close();
      lease.release();
    },
  };
}

/** For `connectThroughJump`: the connection with the lifetime that holds its share of the jump session. */
export function carriedConnection(inner: Connection, lifetime: Lifetime): Connection {
  return {
    ...lifetime,
    client: inner.client,
    ...(inner.hostKey === undefined ? {} : { hostKey: inner.hostKey }),
    open: (command, events) => inner.open(command, events),
    confirm: (withinMs) => inner.confirm?.(withinMs),
  };
}

/** The same for a jump host behind a jump host. */
export function carriedSession(inner: JumpSession, lifetime: Lifetime): JumpSession {
  return { ...lifetime, forward: (host, port, signal) => inner.forward(host, port, signal) };
}
