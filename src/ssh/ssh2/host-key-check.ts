/** Whether a server's host key is taken: known_hosts, the policy, and what the refusal says. */
import { HostError } from "../../contract/errors.js";
import { hostKeyOf, type HostKey } from "../keys/fingerprint.js";
import { readPublicKey } from "../keys/public-key.js";
import { decide, type HostKeyRefusal } from "../known-hosts/decision.js";
import type { HostKeyNames } from "../known-hosts/host-key.js";
import type { KnownHosts } from "../known-hosts/known-hosts.js";
import { acceptHostKey, forgetHostKey, fixContext } from "../plan/fix-command.js";
import { commandTargetOf, type HostPlan } from "../plan/plan.js";

export type HostKeyOutcome =
  /** `remember`: add it to known_hosts once the server has proven that it holds the key. */
  | { readonly kind: "accept"; readonly remember: HostKey | null }
  | { readonly kind: "refuse"; readonly error: HostError };

/** Decides on the raw key that a server sent. Never throws. */
export function checkHostKey(
  plan: HostPlan,
  names: HostKeyNames,
  known: KnownHosts,
  blob: Buffer,
): HostKeyOutcome {
  try {
    const key = hostKeyOf(blob);
    const rsaBits = key.type === "ssh-rsa" ? readPublicKey(blob).rsaBits : null;
    if (rsaBits !== null && rsaBits < plan.config.requiredRsaSize) {
      const message = `the host key has ${rsaBits} bits; RequiredRSASize asks for ${plan.config.requiredRsaSize}`;
      return refuse(new HostError("host-key-algorithm", "handshake", message));
    }
    if (plan.config.noHostAuthenticationForLocalhost && isLocal(plan))
      return { kind: "accept", remember: null };
    return judge(plan, names, known, key);
  } catch (error) {
    if (error instanceof HostError) return refuse(error);
    const reason = error instanceof Error ? error.message : "unknown";
    return refuse(new HostError("host-key-algorithm", "handshake", `the host key cannot be used: ${reason}`));
  }
}

function judge(plan: HostPlan, names: HostKeyNames, known: KnownHosts, key: HostKey): HostKeyOutcome {
  const decision = decide(known.verdict(names, key), plan.hostKeyPolicy, names, key, known);
  if (decision.kind !== "refuse")
    return { kind: "accept", remember: decision.kind === "remember" ? key : null };
  const { code, message, where } = decision.refusal;
  const fix = decision.refusal.fix ?? mend(plan, names, decision.refusal);
  // Where no line of known_hosts decided, the config's policy did.
  const origin = plan.hostKeyPolicyOrigin;
  const decidedBy = where ?? (origin.kind === "file" ? `${origin.file}:${origin.line}` : undefined);
  const more = decidedBy === undefined ? { fix } : { fix, where: decidedBy };
  return refuse(new HostError(code, "handshake", message, more));
}

function mend(plan: HostPlan, names: HostKeyNames, { code, fixAt: what }: HostKeyRefusal): string {
  const here = fixContext();
  const { file, asked } = what ?? { file: "", asked: names.name };
  if (code === "host-key-changed") return forgetHostKey(asked, file, here);
  const isPlain = plan.way.kind === "direct" && plan.config.hostKeyAlias === null;
  const place = {
    host: names.host,
    port: names.port,
    isPlain,
    hash: plan.config.hashKnownHosts,
    keyFiles: plan.identity.keyFiles,
    file,
  };
  return acceptHostKey(commandTargetOf(plan), place, here);
}

function refuse(error: HostError): HostKeyOutcome {
  return { kind: "refuse", error };
}

function isLocal(plan: HostPlan): boolean {
  return plan.host === "localhost" || plan.host === "::1" || plan.host.startsWith("127.");
}

/** A verifier that is asked again at every rekey: the key must stay the one that was accepted. Keeps no more than that key. */
export function sameKeyAtRekey(isAccepted: (blob: Buffer) => boolean): (blob: Buffer) => boolean {
  let judge: ((blob: Buffer) => boolean) | null = isAccepted;
  let accepted = "";
  return (blob) => {
    const key = blob.toString("latin1");
    if (judge === null) return key === accepted;
    if (!judge(blob)) return false;
    judge = null;
    accepted = key;
    return true;
  };
}
