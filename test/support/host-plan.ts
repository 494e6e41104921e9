/** Plans and shared parts of the SSH stage for tests, without config files. */
import type { SshOptions } from "../../src/contract/ssh-options.js";
import { realClock } from "../../src/lib/clock.js";
import { KeyedLimiter, Limiter } from "../../src/lib/limiter.js";
import { AgentPool } from "../../src/ssh/auth/agent.js";
import { KeyCache } from "../../src/ssh/auth/fast/key-cache.js";
import type { HostConfig } from "../../src/ssh/config/host-config.js";
import { HANDSHAKES_AN_ADDRESS, type SshShared } from "../../src/ssh/connector.js";
import { readsOf } from "../../src/ssh/dial/fast/socket-reads.js";
import { HandshakeGate } from "../../src/ssh/dial/handshake-gate.js";
import { JumpPool } from "../../src/ssh/jump/pool.js";
import { KnownIndex } from "../../src/ssh/known-hosts/fast/known-index.js";
import { KnownHostsStore } from "../../src/ssh/known-hosts/known-hosts.js";
import { inProcessNames } from "../../src/ssh/names/names.js";
import { makePlan, type HostPlan } from "../../src/ssh/plan/plan.js";
import { FAST_PATHS } from "../../src/ssh/ssh2/fast/fast-paths.js";

/** The values that `ssh -G` prints for an empty config: no agent, no key files and no known hosts unless given. */
export function testConfig(changes: Partial<HostConfig> = {}): HostConfig {
  return {
    originalHost: changes.hostname ?? "127.0.0.1",
    hostname: "127.0.0.1",
    port: 22,
    user: "watcher",
    addressFamily: "any",
    bindAddress: null,
    bindInterface: null,
    connectTimeoutSecs: null,
    connectionAttempts: 1,
    serverAliveIntervalSecs: 0,
    serverAliveCountMax: 3,
    tcpKeepAlive: true,
    compression: false,
    proxy: { kind: "direct" },
    identityFiles: [],
    identityFilesNamed: false,
    certificateFiles: [],
    identitiesOnly: false,
    identityAgent: null,
    pubkeyAuthentication: true,
    gssapiAuthentication: false,
    hostbasedAuthentication: false,
    preferredAuthentications: null,
    pkcs11Provider: null,
    securityKeyProvider: null,
    pubkeyAcceptedAlgorithms: null,
    hostKeyAlgorithms: null,
    caSignatureAlgorithms: null,
    kexAlgorithms: null,
    ciphers: null,
    macs: null,
    requiredRsaSize: 1024,
    strictHostKeyChecking: "ask",
    userKnownHostsFiles: [],
    globalKnownHostsFiles: [],
    hostKeyAlias: null,
    hashKnownHosts: false,
    checkHostIp: false,
    noHostAuthenticationForLocalhost: false,
    verifyHostKeyDns: "false",
    revokedHostKeys: [],
    knownHostsCommand: null,
    setEnv: [],
    sendEnv: [],
    origins: new Map(),
    ...changes,
  };
}

export function testOptions(changes: Partial<SshOptions> = {}): SshOptions {
  return {
    keyFiles: [],
    configFile: "none",
    knownHostsFile: null,
    hostKeyPolicy: null,
    timeoutMs: 5_000,
    client: "ssh2",
    concurrency: 32,
    ...changes,
  };
}

export function testPlan(config: Partial<HostConfig>, options: Partial<SshOptions> = {}): HostPlan {
  return makePlan(testConfig(config), testOptions(options));
}

export interface TestShared extends SshShared {
  readonly warnings: string[];
  close(): void;
}

/** `isFast` false: without the fast paths. */
export function testShared(concurrency = 32, isFast = true): TestShared {
  const clock = realClock;
  const warnings: string[] = [];
  const agents = new AgentPool(clock);
  return {
    clock,
    random: Math.random,
    handshakes: new Limiter(concurrency),
    perAddress: new KeyedLimiter(HANDSHAKES_AN_ADDRESS),
    agents,
    keys: new KeyCache(clock),
    knownHosts: new KnownHostsStore(() => new KnownIndex()),
    jumps: new JumpPool(clock),
    names: inProcessNames(),
    processes: new HandshakeGate(clock, concurrency),
    acceptedKeys: new Map(),
    warn: (message) => warnings.push(message),
    warnings,
    fast: isFast ? { sessions: FAST_PATHS, reads: readsOf } : undefined,
    close: () => agents.close(),
  };
}
