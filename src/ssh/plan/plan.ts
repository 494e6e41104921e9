/** How to reach one host, from its config and the flags. Pure; `--dry-run` prints it. */
import { isIP } from "node:net";
import type { HostFailure } from "../../contract/errors.js";
import type { HostKeyPolicy, SshOptions } from "../../contract/ssh-options.js";
import { matchPattern } from "../../lib/wildcard.js";
import type { HostConfig, Origin } from "../config/host-config.js";
import { type HostKeyNames, hostNames } from "../known-hosts/host-key.js";
import type { KnownHostsFiles } from "../known-hosts/known-hosts.js";
import type { CommandTarget } from "./fix-command.js";

/** How the connection to the host is made. A hop is a host of its own, with its own way. */
export type Way =
  | { readonly kind: "direct" }
  | { readonly kind: "jump"; readonly hop: HostPlan }
  | { readonly kind: "command"; readonly command: string };

export interface IdentityPlan {
  /** `--ssh-key`; empty for jump hosts. */
  readonly keyFiles: readonly string[];
  /** IdentityFile, or the default files when the config names none (`configFilesNamed` false). */
  readonly configFiles: readonly string[];
  readonly configFilesNamed: boolean;
  readonly certificateFiles: readonly string[];
  /** Null: no agent is used. */
  readonly agentSocket: string | null;
  /** Only those keys of the agent are offered that the files name. */
  readonly identitiesOnly: boolean;
}

export interface HostPlan {
  readonly config: HostConfig;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly way: Way;
  readonly knownHosts: KnownHostsFiles;
  readonly hostKeyPolicy: HostKeyPolicy;
  readonly hostKeyPolicyOrigin: Origin;
  readonly identity: IdentityPlan;
  /** The flags that a command of `ssh` needs to reach the host as we do. */
  readonly flags: Pick<SshOptions, "configFile" | "knownHostsFile">;
  readonly dialTimeoutMs: number;
  readonly handshakeTimeoutMs: number;
  /** SetEnv, and the variables of our own environment that SendEnv selects. */
  readonly env: readonly (readonly [string, string])[];
  readonly keepalive: { readonly intervalMs: number; readonly countMax: number };
  /** Why ssh would not connect to this host; absent: it would. */
  readonly refusal?: HostFailure;
}

/** For the dial, and again for the handshake, where neither flag nor config sets it. */
const DEFAULT_TIMEOUT_MS = 10_000;
/** Notices a dead peer within a minute where the config sets no ServerAliveInterval. */
const KEEPALIVE_SECS = 15;

/**
 * `route` are the jump hosts' configs, from the first that is dialled to the last before the host. `environment`: a copy of
 * the process's, which does not change.
 */
export function makePlan(
  config: HostConfig,
  options: SshOptions,
  route: readonly HostConfig[] = [],
  environment: Readonly<Record<string, string | undefined>> = {},
): HostPlan {
  const timeoutMs = connectTimeoutMs(options, config.connectTimeoutSecs);
  const knownHostsFile = options.knownHostsFile;
  return {
    config,
    host: config.hostname,
    port: config.port,
    user: config.user,
    way: makeWay(config, options, route),
    knownHosts: {
      userFiles: knownHostsFile === null ? config.userKnownHostsFiles : [knownHostsFile],
      globalFiles: config.globalKnownHostsFiles,
      revokedFiles: config.revokedHostKeys,
    },
    ...hostKeyPolicy(config, options),
    identity: {
      keyFiles: options.keyFiles,
      configFiles: config.identityFiles,
      configFilesNamed: config.identityFilesNamed,
      certificateFiles: config.certificateFiles,
      agentSocket: config.identityAgent,
      identitiesOnly: config.identitiesOnly,
    },
    flags: { configFile: options.configFile, knownHostsFile },
    dialTimeoutMs: timeoutMs,
    handshakeTimeoutMs: timeoutMs,
    env: sentEnvironment(config, environment),
    keepalive: {
      intervalMs:
        (config.serverAliveIntervalSecs > 0 ? config.serverAliveIntervalSecs : KEEPALIVE_SECS) * 1000,
      countMax: Math.max(1, config.serverAliveCountMax),
    },
  };
}

/** The flag wins over the config, as with `ssh -o ConnectTimeout`. */
export function connectTimeoutMs(
  { timeoutMs }: Pick<SshOptions, "timeoutMs">,
  configuredSecs: number | null,
): number {
  return timeoutMs ?? (configuredSecs === null ? DEFAULT_TIMEOUT_MS : configuredSecs * 1000);
}

/** The name that this machine looks up to reach the host; null where it looks up none. */
export function nameToLookUp({ host, way }: HostPlan): string | null {
  if (way.kind === "jump") return nameToLookUp(way.hop);
  return way.kind === "direct" && isIP(host) === 0 ? host : null;
}

function makeWay(config: HostConfig, options: SshOptions, route: readonly HostConfig[]): Way {
  const nearest = route.at(-1);
  // A route has every jump; only the host that is dialled first may have a ProxyCommand.
  if (nearest === undefined) return config.proxy.kind === "command" ? config.proxy : { kind: "direct" };
  // `--ssh-key` is only for the target, as `ssh -i` is.
  return { kind: "jump", hop: makePlan(nearest, { ...options, keyFiles: [] }, route.slice(0, -1)) };
}

type Environment = Readonly<Record<string, string | undefined>>;
type Variables = readonly (readonly [string, string])[];

function sentEnvironment({ sendEnv, setEnv }: HostConfig, environment: Environment): Variables {
  const selected = sendEnv.length === 0 ? [] : selectedVariables(sendEnv, environment);
  return setEnv.length === 0 ? selected : [...new Map([...selected, ...setEnv])];
}

/** By environment, then by patterns: all hosts of a fleet mostly send the same. */
const SELECTED = new WeakMap<Environment, Map<string, Variables>>();

function selectedVariables(patterns: readonly string[], environment: Environment): Variables {
  const ofEnvironment = SELECTED.get(environment) ?? new Map<string, Variables>();
  SELECTED.set(environment, ofEnvironment);
  const name = patterns.join(" ");
  const selected =
    ofEnvironment.get(name) ??
    Object.entries(environment).flatMap(([variable, value]): Variables => {
      const isSent = value !== undefined && patterns.some((pattern) => matchPattern(variable, pattern));
      return isSent ? [[variable, value]] : [];
    });
  ofEnvironment.set(name, selected);
  return selected;
}

function hostKeyPolicy(
  config: HostConfig,
  options: SshOptions,
): { readonly hostKeyPolicy: HostKeyPolicy; readonly hostKeyPolicyOrigin: Origin } {
  if (options.hostKeyPolicy !== null) {
    return { hostKeyPolicy: options.hostKeyPolicy, hostKeyPolicyOrigin: { kind: "flag" } };
  }
  const asked = config.strictHostKeyChecking;
  return {
    // Nobody can be asked here.
    hostKeyPolicy: asked === "ask" ? "yes" : asked,
    hostKeyPolicyOrigin: config.origins.get("stricthostkeychecking") ?? { kind: "default" },
  };
}

/** `user@host:port`, for messages and limits. */
export function planLabel(plan: HostPlan): string {
  const host = plan.host.includes(":") ? `[${plan.host}]` : plan.host;
  return `${plan.user}@${host}:${plan.port}`;
}

/** The host for a command of `ssh`: as typed, with the user and the port that the config resolved to. */
export function commandTargetOf(plan: HostPlan): CommandTarget {
  const { config, user, port, flags } = plan;
  const isDefaultPort = port === 22 && !config.origins.has("port");
  return { host: config.originalHost, user, port: isDefaultPort ? null : port, ...flags };
}

/** The names to look up in known_hosts; `peerAddress` is the numeric address of a direct connection, else null. */
export function planHostNames(plan: HostPlan, peerAddress: string | null): HostKeyNames {
  const { hostKeyAlias, checkHostIp } = plan.config;
  return hostNames({ hostname: plan.host, port: plan.port, hostKeyAlias, checkHostIp, address: peerAddress });
}
