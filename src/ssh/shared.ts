/** The state that all hosts of one run share, created once. */
import type { Clock } from "../lib/clock.js";
import { KeyedLimiter, Limiter } from "../lib/limiter.js";
import { AgentPool } from "./auth/agent.js";
import { KeyCache } from "./auth/fast/key-cache.js";
import { HANDSHAKES_AN_ADDRESS, type SshShared } from "./connector.js";
import { HandshakeGate } from "./dial/handshake-gate.js";
import { JumpPool } from "./jump/pool.js";
import { KnownIndex } from "./known-hosts/fast/known-index.js";
import { KnownHostsStore } from "./known-hosts/known-hosts.js";
import { inProcessNames, type Names } from "./names/names.js";

/** `warn` takes warnings for the operator, for standard error. */
export function createSshShared(
  clock: Clock,
  concurrency: number,
  warn: (message: string) => void,
  names: Names = inProcessNames(),
): SshShared {
  return {
    clock,
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
  };
}
