/** Which algorithms are offered to a server: what ssh would offer and ssh2 supports (OpenSSH 9.2, ssh2 1.17). */
import { assembleAlgorithms, KNOWN_ALGORITHMS, DEFAULT_KEY_ALGORITHMS } from "../config/algorithms.js";
import type { HostConfig } from "../config/host-config.js";
import { preferKnown, type KnownTypes } from "../known-hosts/key-types.js";

/** Exact lists; ssh2 throws on a name that it does not know. */
export interface OfferedAlgorithms {
  readonly kex: readonly string[];
  readonly serverHostKey: readonly string[];
  readonly cipher: readonly string[];
  readonly hmac: readonly string[];
  readonly compress: readonly string[];
}

export type AlgorithmOffer =
  | { readonly kind: "offer"; readonly algorithms: OfferedAlgorithms }
  /** ssh2 supports nothing of what the config allows for `keyword`. */
  | { readonly kind: "cannot"; readonly keyword: string; readonly list: string };

interface Kind {
  readonly keyword: string;
  /** What ssh offers without a setting, in the order that is cheapest for us. */
  readonly defaults: readonly string[];
  readonly all: readonly string[];
  readonly ssh2: ReadonlySet<string>;
}

const KEX_DEFAULTS = [
  "sntrup761x25519-sha512@openssh.com",
  "curve25519-sha256",
  "curve25519-sha256@libssh.org",
  "ecdh-sha2-nistp256",
  "ecdh-sha2-nistp384",
  "ecdh-sha2-nistp521",
  "diffie-hellman-group-exchange-sha256",
  "diffie-hellman-group16-sha512",
  "diffie-hellman-group18-sha512",
  "diffie-hellman-group14-sha256",
];
const KEX: Kind = {
  keyword: "KexAlgorithms",
  defaults: KEX_DEFAULTS,
  all: KNOWN_ALGORITHMS.kex,
  ssh2: new Set([
    ...KEX_DEFAULTS.slice(1),
    "diffie-hellman-group-exchange-sha1",
    "diffie-hellman-group14-sha1",
    "diffie-hellman-group1-sha1",
  ]),
};

// ssh puts chacha20 first for machines without AES instructions; OpenSSL does AES-GCM faster on every server CPU.
const CIPHER_DEFAULTS = [
  "aes128-gcm@openssh.com",
  "aes256-gcm@openssh.com",
  "chacha20-poly1305@openssh.com",
  "aes128-ctr",
  "aes192-ctr",
  "aes256-ctr",
];
const CIPHER: Kind = {
  keyword: "Ciphers",
  defaults: CIPHER_DEFAULTS,
  all: KNOWN_ALGORITHMS.cipher,
  ssh2: new Set([...CIPHER_DEFAULTS, "aes128-cbc", "aes192-cbc", "aes256-cbc", "3des-cbc"]),
};

const MAC_DEFAULTS = [
  "umac-64-etm@openssh.com",
  "umac-128-etm@openssh.com",
  "hmac-sha2-256-etm@openssh.com",
  "hmac-sha2-512-etm@openssh.com",
  "hmac-sha1-etm@openssh.com",
  "umac-64@openssh.com",
  "umac-128@openssh.com",
  "hmac-sha2-256",
  "hmac-sha2-512",
  "hmac-sha1",
];
const MAC: Kind = {
  keyword: "MACs",
  defaults: MAC_DEFAULTS,
  all: KNOWN_ALGORITHMS.mac,
  ssh2: new Set([
    ...MAC_DEFAULTS.filter((name) => name.startsWith("hmac-")),
    "hmac-md5",
    "hmac-sha1-96",
    "hmac-md5-96",
  ]),
};

const HOST_KEY: Kind = {
  keyword: "HostKeyAlgorithms",
  defaults: DEFAULT_KEY_ALGORITHMS,
  all: KNOWN_ALGORITHMS.key,
  ssh2: new Set([
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
    "ssh-rsa",
    "ssh-dss",
  ]),
};

type AlgorithmConfig = Pick<
  HostConfig,
  "kexAlgorithms" | "ciphers" | "macs" | "hostKeyAlgorithms" | "compression"
>;

/** Most hosts of a fleet get the same offer, and keep the lists for as long as they are connected. */
const OFFERS = new Map<string, AlgorithmOffer>();

/**
 * `known`: what known_hosts has for the host, so that the server is asked for a key that can be checked. Pure; equal
 * offers are one object.
 */
export function offerAlgorithms(config: AlgorithmConfig, known: KnownTypes): AlgorithmOffer {
  const { kexAlgorithms, ciphers, macs, hostKeyAlgorithms, compression } = config;
  const settings = [kexAlgorithms, ciphers, macs, hostKeyAlgorithms, compression];
  const key = JSON.stringify([settings, known.keyTypes, known.hasAuthority]);
  const offer = OFFERS.get(key) ?? makeOffer(config, known);
  OFFERS.set(key, offer);
  return offer;
}

function makeOffer(config: AlgorithmConfig, known: KnownTypes): AlgorithmOffer {
  const kex = pick(KEX, config.kexAlgorithms);
  const cipher = pick(CIPHER, config.ciphers);
  const hmac = pick(MAC, config.macs);
  const hostKeys = pick(HOST_KEY, config.hostKeyAlgorithms);
  for (const list of [kex, cipher, hmac, hostKeys]) {
    if (list.names.length === 0) return { kind: "cannot", keyword: list.kind.keyword, list: list.spec };
  }
  // ssh keeps the order of a list that is written out in full, or that has `^`.
  const reorders = config.hostKeyAlgorithms === null || /^[+-]/.test(config.hostKeyAlgorithms);
  return {
    kind: "offer",
    algorithms: {
      kex: kex.names,
      serverHostKey: reorders ? preferKnown(hostKeys.names, known) : hostKeys.names,
      cipher: cipher.names,
      hmac: hmac.names,
      compress: config.compression ? ["zlib@openssh.com", "none"] : ["none", "zlib@openssh.com"],
    },
  };
}

function pick(kind: Kind, spec: string | null): { kind: Kind; spec: string; names: string[] } {
  const wanted = assembleAlgorithms(spec, kind.defaults, kind.all) ?? [];
  return {
    kind,
    spec: spec ?? kind.defaults.join(","),
    names: wanted.filter((name) => kind.ssh2.has(name)),
  };
}
