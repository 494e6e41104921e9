/** Which signature algorithm a user key is offered with (sshconnect2.c: key_sig_algorithm, OpenSSH 9.2). */
import { assembleAlgorithms, KNOWN_ALGORITHMS } from "../config/algorithms.js";
import type { Candidate } from "./identity.js";

const CERT = "-cert-v01@openssh.com";

/** PubkeyAcceptedAlgorithms when the config says nothing (myproposal.h: KEX_DEFAULT_PK_ALG). */
export const DEFAULT_USER_KEY_ALGORITHMS: readonly string[] = [
  "ssh-ed25519-cert-v01@openssh.com",
  "ecdsa-sha2-nistp256-cert-v01@openssh.com",
  "ecdsa-sha2-nistp384-cert-v01@openssh.com",
  "ecdsa-sha2-nistp521-cert-v01@openssh.com",
  "sk-ssh-ed25519-cert-v01@openssh.com",
  "sk-ecdsa-sha2-nistp256-cert-v01@openssh.com",
  "rsa-sha2-512-cert-v01@openssh.com",
  "rsa-sha2-256-cert-v01@openssh.com",
  "ssh-ed25519",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "sk-ssh-ed25519@openssh.com",
  "sk-ecdsa-sha2-nistp256@openssh.com",
  "rsa-sha2-512",
  "rsa-sha2-256",
];

/** The algorithms that PubkeyAcceptedAlgorithms allows, in order. */
export function userKeyAlgorithms(spec: string | null): readonly string[] {
  return assembleAlgorithms(spec, DEFAULT_USER_KEY_ALGORITHMS, KNOWN_ALGORITHMS.key) ?? [];
}

export interface SignatureChoice {
  /** What the request names: for a certificate its own algorithm. */
  readonly offered: string;
  /** What the signature is made with. */
  readonly signature: string;
}

/**
 * Null: no algorithm that the config allows and the server takes. `serverAlgorithms` is the server's
 * `server-sig-algs` (RFC 8308), null when it sent none.
 */
export function chooseAlgorithm(
  key: Pick<Candidate, "type" | "certified">,
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
