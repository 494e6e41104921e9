/** ProxyJump: connections to hosts behind others, over shared sessions (ssh_config(5), ssh.c of OpenSSH 9.2). */
import type { Duplex } from "node:stream";
import type { Connection } from "../../contract/connection.js";
import { HostError } from "../../contract/errors.js";
import type { Clock, Timer } from "../../lib/clock.js";
import { pause } from "../../lib/pause.js";
import { DroppedEarly } from "../dial/greeting.js";
import { planLabel, type HostPlan } from "../plan/plan.js";
import { forwardFailure, jumpFailure, lostWithJump } from "./failure.js";
import type { JumpLease, JumpPool, JumpSession } from "./pool.js";

/** As for direct connections (connector.ts). */
const DROPPED_RETRIES = 5;
const DROPPED_PAUSE_MS = 150;
const LOSS_KNOWN_MS = 100;

/** What the connector lends to reach a jump host like any other host. */
export interface JumpDeps {
  readonly pool: JumpPool;
  readonly clock: Clock;
  /** Reaches the hop by its own way, which may itself be a jump: then by `connectThroughJump`. */
  openSession(hop: HostPlan, signal: AbortSignal): Promise<JumpSession>;
}

/** How a connection ends, of its own accord or of ours. */
export type Lifetime = Pick<Connection, "lost" | "close">;

/** What is done on the stream to the target. It calls `heard` at the first byte that comes from there. */
export interface Handshake<T extends Lifetime> {
  run(stream: Duplex, heard: () => void): Promise<T>;
  /** The connection with another life: `carriedConnection` or `carriedSession`. */
  carry(inner: T, life: Lifetime): T;
}

/**
 * Reaches the target over its jump hosts and runs `handshake` on the stream, holding a place in the jump host's gate. The
 * jump session is shared, and given back when the connection is closed or lost. Throws HostError, or the signal's reason.
 */
export async function connectThroughJump<T extends Lifetime>(
  target: HostPlan,
  hop: HostPlan,
  deps: JumpDeps,
  handshake: Handshake<T>,
  signal: AbortSignal,
): Promise<T> {
  const name = planLabel(hop);
  const opening = deps.pool.acquire(sessionKey(hop), (stop) => deps.openSession(hop, stop), signal);
  const lease = await opening.catch((error: unknown) => {
    throw error instanceof HostError ? jumpFailure(name, error) : error;
  });
  try {
    const connection = await reachBehind(lease, target, name, deps.clock, handshake, signal);
    return handshake.carry(connection, shareOf(connection, lease, name, deps.clock));
  } catch (error) {
    const jumpLost = error instanceof HostError ? await lossBehind(error, lease, deps.clock) : null;
    lease.release();
    throw jumpLost === null ? error : lostWithJump(name, jumpLost);
  }
}

/** Tries again when sshd dropped us for having too many at the door: others may come through the same jump host. */
async function reachBehind<T extends Lifetime>(
  lease: JumpLease,
  target: HostPlan,
  name: string,
  clock: Clock,
  handshake: Handshake<T>,
  signal: AbortSignal,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const place = await lease.gate.enter(`${target.host}:${target.port}`, signal);
    try {
      const stream = await forward(lease, target, name, clock, signal);
      return await handshake.run(stream, () => place.heard());
    } catch (error) {
      if (!(error instanceof DroppedEarly) || attempt > DROPPED_RETRIES || lease.lostBy() !== null)
        throw error;
    } finally {
      place.leave();
    }
    await pause(clock, DROPPED_PAUSE_MS * 2 ** (attempt - 1) * (0.5 + Math.random()), signal);
  }
}

/**
 * Why the jump session went away, when that is what ended a connection over it; null when it stands. The carried
 * stream often closes a moment before the session is known to be lost.
 */
async function lossBehind(error: HostError, lease: JumpLease, clock: Clock): Promise<HostError | null> {
  if (lease.lostBy() !== null || error.failure.code !== "connection-lost") return lease.lostBy();
  let timer: Timer | null = null;
  const soon = new Promise<null>((resolve) => (timer = clock.after(LOSS_KNOWN_MS, () => resolve(null))));
  const lost = await Promise.race([lease.session.lost, soon]);
  (timer as Timer | null)?.cancel();
  return lost;
}

/** Two targets share a session when every hop on the way is the same, and asked for by the same name. */
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
  const onAbort = (): void => stop.abort(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  const late = new HostError(
    "connect-timeout",
    "dial",
    `jump host ${name} made no connection to ${target.host}:${target.port} within ${limitMs / 1000} s`,
  );
  const timer = clock.after(limitMs, () => stop.abort(late));
  try {
    return await orAborted(lease.session.forward(target.host, target.port, stop.signal), stop.signal);
  } catch (error) {
    if (error instanceof HostError || stop.signal.aborted || !(error instanceof Error)) throw error;
    throw forwardFailure(name, target, error.message);
  } finally {
    timer.cancel();
    signal.removeEventListener("abort", onAbort);
  }
}

/** Settles with the abort, too; a stream that comes later is thrown away. */
function orAborted(opening: Promise<Duplex>, signal: AbortSignal): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error);
    signal.addEventListener("abort", onAbort, { once: true });
    opening.then(
      (stream) => {
        signal.removeEventListener("abort", onAbort);
        if (signal.aborted) stream.on("error", () => undefined).destroy();
        else resolve(stream);
      },
      (error: unknown) => reject(error as Error),
    );
  });
}

/** The connection, which holds its share of the jump session for as long as it lives. */
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

/** For `connectThroughJump`: a connection whose life holds its share of the jump session. */
export function carriedConnection(inner: Connection, life: Lifetime): Connection {
  return { ...life, client: inner.client, open: (command, events) => inner.open(command, events) };
}

/** The same for a jump host behind a jump host. */
export function carriedSession(inner: JumpSession, life: Lifetime): JumpSession {
  return { ...life, forward: (host, port, signal) => inner.forward(host, port, signal) };
}
