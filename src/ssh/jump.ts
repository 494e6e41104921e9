/** ProxyJump: connections to hosts behind others, over shared sessions (ssh_config(5), ssh.c of OpenSSH 9.2). */
import type { Duplex } from "node:stream";
import { HostError } from "../errors.js";
import type { Clock } from "../lib/clock.js";
import { formatHop } from "./config/jump.js";
import type { HostConfig, JumpHop } from "./config/host-config.js";
import type { Connection } from "./connection.js";
import { forwardFailure, jumpFailure, lostWithJump } from "./jump-failure.js";
import type { JumpLease, JumpPool, JumpSession } from "./jump-pool.js";

/** What the connector lends to reach a jump host like any other host. */
export interface JumpDeps {
  readonly pool: JumpPool;
  readonly clock: Clock;
  /** The hop's own config. `--ssh-key` is not the hop's. Throws HostError. */
  resolve(hop: JumpHop): Promise<HostConfig>;
  /** Reaches the hop, whose `proxy` may itself be a jump: then by `connectThroughJump`. */
  openSession(hop: HostConfig, signal: AbortSignal): Promise<JumpSession>;
}

export interface JumpRequest {
  /** As written: the last hop is the one that reaches the target. */
  readonly hops: readonly JumpHop[];
  readonly target: HostConfig;
  /** Bounds the forward's TCP connection. */
  readonly timeoutMs: number;
}

/** How a connection ends, of its own accord or of ours. */
export type Life = Pick<Connection, "lost" | "close">;

/** What is done on the stream to the target. It calls `heard` at the first byte that comes from there. */
export interface Handshake<T extends Life> {
  run(stream: Duplex, heard: () => void): Promise<T>;
  /** The connection with another life: `carriedConnection` or `carriedSession`. */
  carry(inner: T, life: Life): T;
}

/**
 * Reaches the target over its jump hosts and runs `handshake` on the stream, holding a place in the jump host's gate. The
 * jump session is shared, and given back when the connection is closed or lost. Throws HostError, or the signal's reason.
 */
export async function connectThroughJump<T extends Life>(
  request: JumpRequest,
  deps: JumpDeps,
  handshake: Handshake<T>,
  signal: AbortSignal,
): Promise<T> {
  const { target, hops } = request;
  const name = jumpName(hops);
  const lease = await acquire(request, deps, signal).catch((error: unknown) => {
    throw error instanceof HostError ? jumpFailure(name, error) : error;
  });
  try {
    const place = await lease.gate.enter(`${target.hostname}:${target.port}`, signal);
    try {
      const stream = await forward(lease, request, deps.clock, signal);
      const connection = await handshake.run(stream, () => place.heard());
      return handshake.carry(connection, shareOf(connection, lease, name));
    } finally {
      place.leave();
    }
  } catch (error) {
    const jumpLost = lease.lostBy();
    lease.release();
    if (jumpLost !== null && error instanceof HostError) throw lostWithJump(name, jumpLost);
    throw error;
  }
}

/** The nearest jump host as the operator wrote it. */
export function jumpName(hops: readonly JumpHop[]): string {
  const last = hops.at(-1);
  return last === undefined ? "" : formatHop(last);
}

async function acquire(request: JumpRequest, deps: JumpDeps, signal: AbortSignal): Promise<JumpLease> {
  const { hops, target } = request;
  const last = hops.at(-1);
  if (last === undefined) throw new HostError("proxy-failed", "resolve", "ProxyJump names no host");
  const resolved = await deps.resolve(last);
  // ssh gives the chain before the last hop to that hop as `-J`, which wins over the hop's own config.
  const before = hops.slice(0, -1);
  const hop: HostConfig =
    before.length === 0 ? resolved : { ...resolved, proxy: { kind: "jump", hops: before } };
  // ssh.c, "jumphost loop via": by the names, not by what they resolve to.
  const user = last.user ?? target.user;
  if (last.host === target.hostname && (last.port ?? 22) === target.port && user === target.user) {
    throw new HostError("proxy-failed", "resolve", `jumphost loop via ${last.host}`);
  }
  return deps.pool.acquire(JSON.stringify(hops), (stop) => deps.openSession(hop, stop), signal);
}

async function forward(
  lease: JumpLease,
  request: JumpRequest,
  clock: Clock,
  signal: AbortSignal,
): Promise<Duplex> {
  const { target, hops, timeoutMs } = request;
  const stop = new AbortController();
  const onAbort = (): void => stop.abort(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  const late = new HostError(
    "connect-timeout",
    "dial",
    `jump host ${jumpName(hops)} made no connection to ${target.hostname}:${target.port} within ${timeoutMs / 1000} s`,
  );
  const timer = clock.after(timeoutMs, () => stop.abort(late));
  try {
    return await orAborted(lease.session.forward(target.hostname, target.port, stop.signal), stop.signal);
  } catch (error) {
    if (error instanceof HostError || stop.signal.aborted || !(error instanceof Error)) throw error;
    throw forwardFailure(jumpName(hops), target, error.message);
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
function shareOf(inner: Life, lease: JumpLease, name: string): Life {
  return {
    lost: inner.lost.then((error) => {
      const jumpLost = lease.lostBy();
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
export function carriedConnection(inner: Connection, life: Life): Connection {
  return { ...life, client: inner.client, open: (command, events) => inner.open(command, events) };
}

/** The same for a jump host behind a jump host. */
export function carriedSession(inner: JumpSession, life: Life): JumpSession {
  return { ...life, forward: (host, port, signal) => inner.forward(host, port, signal) };
}
