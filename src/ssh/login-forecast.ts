/** What would keep a login from working as things are here, found without connecting. */
import { noKeyFix, unusableFix } from "./auth/login-refusal.js";
import { findCandidates, type Candidates } from "./auth/identity.js";
import type { SshShared } from "./connector.js";
import { rememberedContext, type FixContext } from "./plan/fix-command.js";
import { planHostNames, planLabel, type HostPlan, type IdentityPlan } from "./plan/plan.js";
import { acceptUnknownKey } from "./ssh2/host-key-check.js";

export interface Obstacle {
  /** One line. */
  readonly why: string;
  /** A command, or a sentence; null: none is known. */
  readonly fix: string | null;
}

type Shared = Pick<SshShared, "agents" | "keys" | "knownHosts">;

/** Sets of key files that are remembered: one with a token such as %h is of one host only. */
const MAX_IDENTITIES = 1000;

/**
 * The forecasts of many hosts at one moment: key files and agents are read once for all hosts that name the same ones.
 * Asks the agent for its keys; reads key files and known_hosts.
 */
export class LoginForecast {
  readonly #candidates = new Map<string, Candidates>();
  /** Of the last host: that of the next one mostly has the same. */
  #last: { readonly identity: IdentityPlan; readonly found: Candidates } | null = null;

  constructor(
    private readonly shared: Shared,
    private readonly here: FixContext = rememberedContext(),
  ) {}

  /** The keys that the host would be offered. Never rejects. */
  async candidates(identity: IdentityPlan): Promise<Candidates> {
    if (this.#last !== null && isSame(this.#last.identity, identity)) return this.#last.found;
    const name = JSON.stringify(identity);
    const found = this.#candidates.get(name) ?? (await findCandidates(identity, this.shared));
    if (this.#candidates.size >= MAX_IDENTITIES) this.#candidates.clear();
    this.#candidates.set(name, found);
    this.#last = { identity, found };
    return found;
  }

  /**
   * Of the host and of its jump hosts. Not for hosts that need the system's `ssh`, which has more ways to log in and to
   * check a host.
   */
  async obstacles(plan: HostPlan): Promise<readonly Obstacle[]> {
    const { refusal, way } = plan;
    if (refusal !== undefined) return [{ why: refusal.message, fix: refusal.fix ?? null }];
    const candidates = await this.candidates(plan.identity);
    const own = [
      hostKeyObstacle(plan, this.shared, this.here),
      keyObstacle(plan, candidates, this.here),
    ].filter((each) => each !== null);
    if (way.kind !== "jump") return own;
    const label = planLabel(way.hop);
    const before = await this.obstacles(way.hop);
    return [...before.map(({ why, fix }) => ({ why: `jump host ${label}: ${why}`, fix })), ...own];
  }
}

function isSame(one: IdentityPlan, other: IdentityPlan): boolean {
  return (
    one.agentSocket === other.agentSocket &&
    one.identitiesOnly === other.identitiesOnly &&
    one.configFilesNamed === other.configFilesNamed &&
    areSame(one.keyFiles, other.keyFiles) &&
    areSame(one.configFiles, other.configFiles) &&
    areSame(one.certificateFiles, other.certificateFiles)
  );
}

function areSame(one: readonly string[], other: readonly string[]): boolean {
  return one === other || (one.length === other.length && one.every((file, at) => file === other[at]));
}

function hostKeyObstacle(plan: HostPlan, shared: Shared, here: FixContext): Obstacle | null {
  if (plan.hostKeyPolicy !== "yes" || plan.config.noHostAuthenticationForLocalhost) return null;
  const known = shared.knownHosts.open(plan.knownHosts);
  const names = planHostNames(plan, null);
  if (known.authorityAt(names) !== null || known.knownKeyTypes(names).length > 0) return null;
  const [file] = plan.knownHosts.userFiles;
  return {
    why: `no host key of ${names.name} is known, and unknown ones are refused`,
    fix: file === undefined ? null : acceptUnknownKey(plan, names, file, here),
  };
}

function keyObstacle(plan: HostPlan, { keys, skipped }: Candidates, here: FixContext): Obstacle | null {
  if (!plan.config.pubkeyAuthentication)
    return { why: "the config allows no key (PubkeyAuthentication no)", fix: "remove it from the config" };
  if (keys.length > 0) return null;
  const { agentSocket, configFiles, keyFiles } = plan.identity;
  const isAgentSilent = skipped.some(({ file }) => file === null);
  const hasAgent = agentSocket !== null && agentSocket !== "";
  const reasons = skipped.map(({ source, reason }) => `${source}: ${reason}`);
  if (!hasAgent) reasons.push("no agent is there (SSH_AUTH_SOCK)");
  else if (!isAgentSilent) reasons.push("the agent holds no key");
  const files = [...keyFiles, ...configFiles];
  const example = configFiles.find((file) => file.endsWith("/id_ed25519"));
  const isDefault = !plan.identity.configFilesNamed && keyFiles.length === 0 && example !== undefined;
  const named = isDefault ? `ssh's default key files (${example}, ...)` : files.join(", ");
  if (skipped.every(({ file }) => file === null) && files.length > 0)
    reasons.push(`none of ${named} is there`);
  const unusable = skipped.find(({ remedy }) => remedy === "protect" || remedy === "add");
  const fix =
    unusable === undefined
      ? noKeyFix(plan, ["password"], { keys, skipped }, here)
      : unusableFix(plan, unusable, here);
  return { why: `no key can be offered: ${reasons.join("; ")}`, fix };
}
