/** Whether a server's host key is taken: known_hosts, the policy, and what the refusal says. */
import { HostError } from "../errors.js";
import { fingerprint, hostKeyOf, shortTypeName } from "./known-hosts/fingerprint.js";
import type { HostKey, HostNames } from "./known-hosts/host-key.js";
import type { KnownHosts } from "./known-hosts/known-hosts.js";
import { readPublicKey } from "./known-hosts/public-key.js";
import type { HostPlan } from "./plan.js";

export type HostKeyDecision =
  /** `remember`: add it to known_hosts once the server has proven that it holds the key. */
  | { readonly kind: "accept"; readonly remember: HostKey | null }
  | { readonly kind: "refuse"; readonly error: HostError };

/** Decides on the raw key that a server sent. Never throws. */
export function checkHostKey(
  plan: HostPlan,
  names: HostNames,
  known: KnownHosts,
  blob: Buffer,
): HostKeyDecision {
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
    const reason = error instanceof Error ? error.message : "unknown";
    return refuse(new HostError("host-key-algorithm", "handshake", `the host key cannot be used: ${reason}`));
  }
}

function judge(plan: HostPlan, names: HostNames, known: KnownHosts, key: HostKey): HostKeyDecision {
  const verdict = known.verdict(names, key);
  const offered = `${shortTypeName(key.type)} key ${fingerprint(key.blob)}`;
  switch (verdict.kind) {
    case "match":
      return { kind: "accept", remember: verdict.addressUnknown && known.canRemember ? key : null };
    case "changed": {
      const { file, line } = verdict.at;
      const name = verdict.address ?? names.name;
      const message =
        `the host key of ${name} has changed: the server has the ${offered}, ` +
        `known is another ${shortTypeName(verdict.knownType)} key (${file}:${line})`;
      const fix = `if the change is right: ssh-keygen -R '${name}' -f ${file}`;
      return refuse(
        new HostError("host-key-changed", "handshake", message, { fix, where: `${file}:${line}` }),
      );
    }
    case "revoked":
    case "revocation-unreadable": {
      const { file, line } = verdict.at;
      const where = line === null ? file : `${file}:${line}`;
      const why =
        verdict.kind === "revoked" ? "is revoked" : `cannot be checked for revocation: ${verdict.reason}`;
      const message = `the host key of ${names.name}, ${offered}, ${why} (${where})`;
      return refuse(new HostError("host-key-revoked", "handshake", message, { where }));
    }
    case "unknown":
      return unknown(plan, names, known, key, offered);
  }
}

function unknown(
  plan: HostPlan,
  names: HostNames,
  known: KnownHosts,
  key: HostKey,
  offered: string,
): HostKeyDecision {
  if (plan.hostKeyPolicy !== "yes" && known.canRemember) return { kind: "accept", remember: key };
  const authority = known.authorityAt(names);
  const origin = plan.hostKeyPolicyOrigin;
  const problems = known.unreadable().map((problem) => `${problem.file} cannot be read: ${problem.code}`);
  const asked = known.files.length === 0 ? "no known_hosts file" : known.files.join(", ");
  const message = [`the host ${names.name} is not known (${asked}); it has the ${offered}`, ...problems].join(
    "; ",
  );
  const port = plan.port === 22 ? "" : `-p ${plan.port} `;
  const fix = known.canRemember
    ? `check the key and accept it by hand: ssh ${port}${plan.user}@${plan.config.originalHost}, or use --ssh-strict-host-key accept-new`
    : "name a file for known hosts: without one ssh refuses every new host";
  const where =
    authority !== null
      ? { where: `${authority.file}:${authority.line}` }
      : origin.kind === "file"
        ? { where: `${origin.file}:${origin.line}` }
        : {};
  return refuse(new HostError("host-key-unknown", "handshake", message, { fix, ...where }));
}

function refuse(error: HostError): HostKeyDecision {
  return { kind: "refuse", error };
}

function isLocal(plan: HostPlan): boolean {
  return plan.host === "localhost" || plan.host === "::1" || plan.host.startsWith("127.");
}
