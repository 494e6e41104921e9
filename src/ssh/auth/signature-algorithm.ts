/** Which signature algorithm a user key is offered with (sshconnect2.c: key_sig_algorithm, OpenSSH 9.2). */
import { assembleAlgorithms, DEFAULT_KEY_ALGORITHMS, KNOWN_ALGORITHMS } from "../config/algorithms.js";
import type { IdentityCandidate } from "./identity.js";

const CERT = "-cert-v01@openssh.com";

/** The algorithms that PubkeyAcceptedAlgorithms allows, in order. */
export function userKeyAlgorithms(spec: string | null): readonly string[] {
  return assembleAlgorithms(spec, DEFAULT_KEY_ALGORITHMS, KNOWN_ALGORITHMS.key) ?? [];
}

export interface SignatureChoice {
  /** The name in the request: for a certificate its own algorithm. */
  readonly offered: string;
  /** The algorithm that signs. */
  readonly signature: string;
}

/**
 * Null: no algorithm that the config allows and the server accepts. `serverAlgorithms` is the server's
 * `server-sig-algs` (RFC 8308), null when it sent no list.
 */
export function chooseAlgorithm(
  key: Pick<IdentityCandidate, "type" | "certified">,
  allowed: readonly string[],
  serverAlgorithms: readonly string[] | null,
): SignatureChoice | null {
  const ownName = key.certified ? `${key.type.replace("@openssh.com", "")}${CERT}` : key.type;
  if (key.type !== "ssh-rsa" || serverAlgorithms === null) {
    return allowed.includes(ownName) ? { offered: ownName, signature: key.type } : null;
  }
  for (const offered of allowed) {
    const signature = offered.replace(CERT, "");
    if (!/^(rsa-sha2-(256|512)|ssh-rsa)$/.test(signature) || offered.endsWith(CERT) !== key.certified)
      continue;
    if (serverAlgorithms.includes(signature)) return { offered, signature };
  }
  return null;
}
