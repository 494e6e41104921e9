/** Which host key algorithms to ask for first (sshconnect2.c: order_hostkeyalgs, OpenSSH 9.2). Pure. */
import { isCertificateType, plainTypeOf } from "../keys/public-key.js";
import type { HostKeyNames } from "./host-key.js";
import type { Lookup } from "./lookup.js";

export interface KnownTypes {
  /** Plain key types (`ssh-rsa` for every RSA algorithm) for which the host has a key that is not revoked. */
  readonly keyTypes: readonly string[];
  /** There is a @cert-authority line for the host. */
  readonly hasAuthority: boolean;
}

const NONE_KNOWN: KnownTypes = { keyTypes: [], hasAuthority: false };

/** Looks up only `names.name`, as ssh does: neither the address nor the name without its port counts here. */
export function knownTypes(lookup: Lookup, names: HostKeyNames): KnownTypes {
  const lines = lookup(names.name);
  if (lines.length === 0) return NONE_KNOWN;
  const revoked = new Set(lines.filter((line) => line.marker === "revoked").map((line) => line.key.identity));
  const firstOfType = new Map<string, string>();
  for (const { marker, key } of lines) {
    if (marker !== "none" || key.certificate !== null || firstOfType.has(key.plainType)) continue;
    firstOfType.set(key.plainType, key.identity);
  }
  const keyTypes = [...firstOfType].filter(([, identity]) => !revoked.has(identity)).map(([type]) => type);
  return { keyTypes, hasAuthority: lines.some((line) => line.marker === "cert-authority") };
}

/**
 * `algorithms` with those of the host's known keys first, otherwise in the order given. Unchanged when the first is one of
 * them. ssh does this only while HostKeyAlgorithms is unset or begins with `+` or `-`.
 */
export function preferKnown(algorithms: readonly string[], known: KnownTypes): string[] {
  const isKnown = (algorithm: string): boolean =>
    known.keyTypes.includes(plainTypeOf(algorithm) ?? algorithm);
  const [best] = algorithms;
  if (best === undefined || isKnown(best)) return [...algorithms];
  const isFirst = (algorithm: string): boolean =>
    (isCertificateType(algorithm) && known.hasAuthority) || isKnown(algorithm);
  return [...algorithms.filter(isFirst), ...algorithms.filter((algorithm) => !isFirst(algorithm))];
}
