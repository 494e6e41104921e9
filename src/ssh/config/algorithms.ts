/** Algorithm names that ssh knows, and its `+`, `-`, `^` lists (kex_assemble_names in OpenSSH's kex-names.c). */
import { matchPattern, matchPatternList } from "../../lib/wildcard.js";
import type { DialectVersion } from "./dialect.js";

export type AlgorithmFamily = "cipher" | "mac" | "kex" | "key" | "ca" | "gss-kex";

const CIPHERS =
  "3des-cbc aes128-cbc aes192-cbc aes256-cbc aes128-ctr aes192-ctr aes256-ctr aes128-gcm@openssh.com " +
  "aes256-gcm@openssh.com chacha20-poly1305@openssh.com";
const MAC_BASES = "hmac-sha1 hmac-sha1-96 hmac-sha2-256 hmac-sha2-512 hmac-md5 hmac-md5-96";
const MACS =
  `${MAC_BASES} umac-64@openssh.com umac-128@openssh.com ` +
  MAC_BASES.split(" ")
    .map((mac) => `${mac}-etm@openssh.com`)
    .join(" ") +
  " umac-64-etm@openssh.com umac-128-etm@openssh.com";
const KEXES =
  "diffie-hellman-group1-sha1 diffie-hellman-group14-sha1 diffie-hellman-group14-sha256 " +
  "diffie-hellman-group16-sha512 diffie-hellman-group18-sha512 diffie-hellman-group-exchange-sha1 " +
  "diffie-hellman-group-exchange-sha256 ecdh-sha2-nistp256 ecdh-sha2-nistp384 ecdh-sha2-nistp521 " +
  "curve25519-sha256 curve25519-sha256@libssh.org sntrup761x25519-sha512 sntrup761x25519-sha512@openssh.com " +
  "mlkem768x25519-sha256 mlkem768nistp256-sha256";
const PLAIN_KEYS =
  "ssh-ed25519 sk-ssh-ed25519@openssh.com ssh-mldsa44-ed25519@openssh.com ecdsa-sha2-nistp256 ecdsa-sha2-nistp384 ecdsa-sha2-nistp521 " +
  "sk-ecdsa-sha2-nistp256@openssh.com webauthn-sk-ecdsa-sha2-nistp256@openssh.com ssh-dss ssh-rsa " +
  "rsa-sha2-256 rsa-sha2-512";
const CERT_KEYS =
  "ssh-ed25519-cert-v01@openssh.com sk-ssh-ed25519-cert-v01@openssh.com ecdsa-sha2-nistp256-cert-v01@openssh.com " +
  "ecdsa-sha2-nistp384-cert-v01@openssh.com ecdsa-sha2-nistp521-cert-v01@openssh.com " +
  "sk-ecdsa-sha2-nistp256-cert-v01@openssh.com ssh-dss-cert-v01@openssh.com ssh-rsa-cert-v01@openssh.com " +
  "rsa-sha2-256-cert-v01@openssh.com rsa-sha2-512-cert-v01@openssh.com " +
  "ssh-mldsa44-ed25519-cert-v01@openssh.com webauthn-sk-ecdsa-sha2-nistp256-cert-v01@openssh.com";
const GSS_KEXES =
  "gss-gex-sha1- gss-group1-sha1- gss-group14-sha1- gss-group14-sha256- gss-group16-sha512- " +
  "gss-nistp256-sha256- gss-curve25519-sha256-";

/** Every name of a family that OpenSSH 9.2 to 10.5 accepts. */
export const KNOWN_ALGORITHMS: Readonly<Record<AlgorithmFamily, readonly string[]>> = {
  cipher: CIPHERS.split(" "),
  mac: MACS.split(" "),
  kex: KEXES.split(" "),
  key: [...PLAIN_KEYS.split(" "), ...CERT_KEYS.split(" ")],
  ca: PLAIN_KEYS.split(" "),
  "gss-kex": GSS_KEXES.split(" "),
};

/** Names that OpenSSH 9.2 does not have, with the first version that has them. */
const ALGORITHM_SINCE: ReadonlyMap<string, DialectVersion> = new Map([
  ["mlkem768x25519-sha256", 909],
  ["mlkem768nistp256-sha256", 1005],
  ["ssh-mldsa44-ed25519@openssh.com", 1004],
  ["ssh-mldsa44-ed25519-cert-v01@openssh.com", 1004],
  ["mldsa44-ed25519", 1004],
  ["webauthn-sk-ecdsa-sha2-nistp256-cert-v01@openssh.com", 1003],
]);

/** The first version that has all names of a list; 0: the oldest does. */
export function algorithmsSince(list: string): DialectVersion {
  if (list.startsWith("-")) return 0;
  const names = list.replace(/^[+^]/, "").split(",");
  return Math.max(0, ...names.map((name) => ALGORITHM_SINCE.get(name.toLowerCase()) ?? 0));
}

/** Key types may also be given by their short names, which match no algorithm. */
const SHORT_KEY_NAMES = new Set([
  ...["ed25519", "ed25519-sk", "ecdsa", "ecdsa-sk", "rsa", "dsa"],
  "mldsa44-ed25519",
]);

/** Whether ssh accepts the list when it reads the line. A list that starts with `-` is not checked. */
export function isAlgorithmList(list: string, family: AlgorithmFamily): boolean {
  if (family !== "gss-kex" && list.startsWith("-")) return true;
  const names = family !== "gss-kex" && /^[+^]/.test(list) ? list.slice(1) : list;
  if (names === "") return false;
  return names.split(",").every((name) => isKnownName(name, family));
}

function isKnownName(name: string, family: AlgorithmFamily): boolean {
  const known = KNOWN_ALGORITHMS[family];
  if (known.includes(name)) return true;
  if (family !== "key" && family !== "ca") return false;
  if (SHORT_KEY_NAMES.has(name.toLowerCase())) return true;
  if (family === "ca" && KNOWN_ALGORITHMS.key.includes(name)) return false;
  return KNOWN_ALGORITHMS.key.some((type) => matchPatternList(type, name) !== "unmatched");
}

/**
 * The names that a list selects, in order, from the client's defaults and everything it supports. Null: ssh refuses
 * the list (it selects nothing, or it negates a name).
 */
export function assembleAlgorithms(
  list: string | null,
  defaults: readonly string[],
  all: readonly string[],
): string[] | null {
  if (list === null || list === "") return [...defaults];
  const names = list.slice(1).split(",");
  const mode = list.charAt(0);
  if (mode === "-") {
    return defaults.filter((name) => matchPatternList(name, list.slice(1)) !== "matched");
  }
  const wanted =
    mode === "+" ? [...defaults, ...names] : mode === "^" ? [...names, ...defaults] : list.split(",");
  if (wanted.some((name) => name.startsWith("!"))) return null;
  const found = new Set<string>();
  for (const pattern of wanted) {
    for (const name of all) if (matchPattern(name, pattern)) found.add(name);
  }
  return found.size === 0 ? null : [...found];
}

/** HostKeyAlgorithms and PubkeyAcceptedAlgorithms when the config does not set them (myproposal.h: KEX_DEFAULT_PK_ALG). */
export const DEFAULT_KEY_ALGORITHMS: readonly string[] = [
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
