/** Whether a server's host key is accepted, by known_hosts and the policy, and the failure when it is refused. */
import { HostError } from "../../contract/errors.js";
import { fingerprint, hostKeyOf, type HostKey } from "../keys/fingerprint.js";
import { readPublicKey } from "../keys/public-key.js";
import { decide, type HostKeyRefusal } from "../known-hosts/decision.js";
import type { HostKeyNames } from "../known-hosts/host-key.js";
import type { KnownHosts } from "../known-hosts/known-hosts.js";
import { addedText } from "../known-hosts/append.js";
import { acceptHostKey, fixContext, type FixContext, forgetHostKey } from "../plan/fix-command.js";
import { commandTargetOf, type HostPlan } from "../plan/plan.js";

interface AcceptedHostKey {
  readonly kind: "accept";
  readonly key: HostKey;
  /** To add to known_hosts once the server has proven that it holds the key; null: nothing to add. */
  readonly remember: HostKey | null;
  /** The `file:line` of known_hosts that has the key, or why it is accepted without one. */
  readonly reason: string;
}

export type HostKeyOutcome = AcceptedHostKey | { readonly kind: "refuse"; readonly error: HostError };

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
      return { kind: "accept", key, remember: null, reason: "NoHostAuthenticationForLocalhost" };
    return judge(plan, names, known, key);
  } catch (error) {
    if (error instanceof HostError) return refuse(error);
    const reason = error instanceof Error ? error.message : "unknown";
    return refuse(new HostError("host-key-algorithm", "handshake", `the host key cannot be used: ${reason}`));
  }
}

function judge(plan: HostPlan, names: HostKeyNames, known: KnownHosts, key: HostKey): HostKeyOutcome {
  const verdict = known.verdict(names, key);
  const decision = decide(verdict, plan.hostKeyPolicy, names, key, known);
  if (decision.kind !== "refuse") {
    const reason =
      verdict.kind === "match"
        ? `${verdict.at.file}:${verdict.at.line}`
        : `${verdict.kind}, StrictHostKeyChecking ${plan.hostKeyPolicy}`;
    return { kind: "accept", key, remember: decision.kind === "remember" ? key : null, reason };
  }
  const { code, message, where } = decision.refusal;
  const fix = decision.refusal.fix ?? fixCommand(plan, names, decision.refusal);
  // Where no line of known_hosts decided, the config's policy did.
  const origin = plan.hostKeyPolicyOrigin;
  const decidedBy = where ?? (origin.kind === "file" ? `${origin.file}:${origin.line}` : undefined);
  const more = decidedBy === undefined ? { fix } : { fix, where: decidedBy };
  return refuse(new HostError(code, "handshake", message, more));
}

function fixCommand(plan: HostPlan, names: HostKeyNames, { code, fixAt: place }: HostKeyRefusal): string {
  const { file, asked } = place ?? { file: "", asked: names.name };
  if (code === "host-key-changed") return forgetHostKey(asked, file, fixContext());
  return acceptUnknownKey(plan, names, file);
}

/** A command that adds the host's key to the file. */
export function acceptUnknownKey(
  plan: HostPlan,
  names: HostKeyNames,
  file: string,
  here: FixContext = fixContext(),
): string {
  const isPlain = plan.way.kind === "direct" && plan.config.hostKeyAlias === null;
  const hostKeyPlace = {
    host: names.host,
    port: names.port,
    isPlain,
    hash: plan.config.hashKnownHosts,
    keyFiles: plan.identity.keyFiles,
    file,
  };
  return acceptHostKey(commandTargetOf(plan), hostKeyPlace, here);
}

function refuse(error: HostError): HostKeyOutcome {
  return { kind: "refuse", error };
}

function isLocal(plan: HostPlan): boolean {
  return plan.host === "localhost" || plan.host === "::1" || plan.host.startsWith("127.");
}

/**
 * Adds an accepted key to known_hosts, and warns of that. As in ssh, what cannot be written is a warning too, and the
 * connection goes on.
 */
export async function rememberHostKey(
  plan: HostPlan,
  names: HostKeyNames,
  known: KnownHosts,
  key: HostKey,
  warn: (message: string) => void,
): Promise<void> {
  const onAdded = (file: string): void =>
    warn(addedText(commandTargetOf(plan).host, `${key.type} ${fingerprint(key.blob)}`, file));
  const warning = await known.remember(names, key, { hash: plan.config.hashKnownHosts, onAdded });
  if (warning !== null) warn(warning);
}

/** For the step log. */
export function hostKeyText({ key, remember, reason }: AcceptedHostKey): string {
  const added = remember === null ? "" : "; to be added to known_hosts";
  return `host key accepted: ${key.type} ${fingerprint(key.blob)} (${reason}${added})`;
}

/** A verifier for every key exchange: at a rekey the key must be the one that was accepted. Keeps only that key. */
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
