/** What would keep a login from working as things are here, found without connecting. */
import { noKeyFix, unusableFix } from "./auth/login-refusal.js";
import { findCandidates, type Candidates } from "./auth/identity.js";
import type { SshShared } from "./connector.js";
import { fixContext, type FixContext } from "./plan/fix-command.js";
import { planHostNames, planLabel, type HostPlan } from "./plan/plan.js";
import { acceptUnknownKey } from "./ssh2/host-key-check.js";

export interface Obstacle {
  /** One line. */
  readonly why: string;
  /** A command, or a sentence; null: none is known. */
  readonly fix: string | null;
}

type Shared = Pick<SshShared, "agents" | "keys" | "knownHosts">;

/**
 * Of the host and of its jump hosts. Asks the agent for its keys; reads key files and known_hosts. Not for hosts that need
 * the system's `ssh`, which has more ways to log in and to check a host.
 */
export async function loginObstacles(
  plan: HostPlan,
  shared: Shared,
  here: FixContext = fixContext(),
): Promise<readonly Obstacle[]> {
  const { refusal } = plan;
  if (refusal !== undefined) return [{ why: refusal.message, fix: refusal.fix ?? null }];
  const candidates = await findCandidates(plan.identity, shared);
  const own = [hostKeyObstacle(plan, shared, here), keyObstacle(plan, candidates, here)].filter(
    (each) => each !== null,
  );
  if (plan.way.kind !== "jump") return own;
  const label = planLabel(plan.way.hop);
  const before = await loginObstacles(plan.way.hop, shared, here);
  return [...before.map(({ why, fix }) => ({ why: `jump host ${label}: ${why}`, fix })), ...own];
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
