/** The state that all hosts of one run share, created once. */
import type { Clock } from "../lib/clock.js";
import { KeyedLimiter, Limiter } from "../lib/limiter.js";
import { AgentPool } from "./auth/agent.js";
import { KeyCache } from "./auth/fast/key-cache.js";
import { HANDSHAKES_AN_ADDRESS, type SshShared } from "./connector.js";
import { groupsEnded } from "./dial/child-process.js";
import { readsOf } from "./dial/fast/socket-reads.js";
import { HandshakeGate } from "./dial/handshake-gate.js";
import { JumpPool } from "./jump/pool.js";
import { KnownIndex } from "./known-hosts/fast/known-index.js";
import { KnownHostsStore } from "./known-hosts/known-hosts.js";
import { inProcessNames, type Names } from "./names/names.js";
import { loadSsh2 } from "./ssh2/client.js";
import { FAST_PATHS } from "./ssh2/fast/fast-paths.js";

/** `warn` takes warnings for the operator. `random`: a number in [0, 1), for backoffs. */
export function createSshShared(
  clock: Clock,
  concurrency: number,
  warn: (message: string) => void,
  names: Names = inProcessNames(),
  random: () => number = Math.random,
): SshShared {
  return {
    clock,
    random,
    handshakes: new Limiter(concurrency),
    perAddress: new KeyedLimiter(HANDSHAKES_AN_ADDRESS),
    agents: new AgentPool(clock),
    keys: new KeyCache(clock),
    knownHosts: new KnownHostsStore(() => new KnownIndex()),
    jumps: new JumpPool(clock),
    names,
    processes: new HandshakeGate(clock, concurrency),
    acceptedKeys: new Map(),
    warn,
    // The one place that switches the fast paths on: without the line everything works by plain code.
    fast: { sessions: FAST_PATHS, reads: readsOf },
  };
}

/** Loads ssh2 for later use. Settles when it is there, or cannot be loaded: a host that needs it reports that. */
export async function preloadSsh2({ fast }: SshShared): Promise<void> {
  await loadSsh2(fast?.sessions).catch(() => undefined);
}

/** The run ends: settles when no program that carried a connection is left, a fraction of a second later at most. */
export async function closeSshShared(shared: SshShared): Promise<void> {
  shared.agents.close();
  await groupsEnded();
}
