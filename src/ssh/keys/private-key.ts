/**
 * Private keys: read from OpenSSH's own format (PROTOCOL.key), PEM (PKCS#1, SEC1) and PKCS#8, unencrypted only; and signing
 * with them (RFC 4253, section 6.6; RFC 5656; RFC 8332; RFC 8709).
 */
import { createPrivateKey, createPublicKey, sign, type JsonWebKey, type KeyObject } from "node:crypto";
import { WireReader, wireMpint, wireString } from "./wire.js";

export type ParsedKeyFile =
  | { readonly kind: "private"; readonly key: KeyObject; readonly blob: Buffer }
  /** `blob`: the public half, which OpenSSH's format leaves readable; null in the other formats. */
  | { readonly kind: "encrypted"; readonly blob: Buffer | null }
  /** A type whose private half is elsewhere (a security key), or one that ssh no longer accepts. */
  | { readonly kind: "unsupported"; readonly blob: Buffer | null; readonly reason: string }
  | { readonly kind: "invalid"; readonly reason: string };

const OPENSSH =
  /-----BEGIN OPENSSH PRIVATE KEY-----\s+([A-Za-z0-9+/=\s]+?)\s*-----END OPENSSH PRIVATE KEY-----/;
const MAGIC = "openssh-key-v1\0";
const CURVES: Readonly<Record<string, string>> = { nistp256: "P-256", nistp384: "P-384", nistp521: "P-521" };

/** Reads the text of a private key file. Never throws. */
export function parsePrivateKey(text: string): ParsedKeyFile {
  try {
    const openssh = OPENSSH.exec(text)?.[1];
    return openssh === undefined ? parsePem(text) : parseOpenssh(Buffer.from(openssh, "base64"));
  } catch {
    return { kind: "invalid", reason: "not a private key that can be read" };
  }
}

function parseOpenssh(bytes: Buffer): ParsedKeyFile {
  if (bytes.subarray(0, MAGIC.length).toString("latin1") !== MAGIC) {
    return { kind: "invalid", reason: "not an OpenSSH private key" };
  }
  const reader = new WireReader(bytes.subarray(MAGIC.length));
  const cipher = reader.text();
  reader.string();
  reader.string();
  if (reader.uint32() !== 1) return { kind: "invalid", reason: "more than one key in the file" };
  const blob = Buffer.from(reader.string());
  if (cipher !== "none") return { kind: "encrypted", blob };
  const inner = new WireReader(reader.string());
  if (inner.uint32() !== inner.uint32()) return { kind: "invalid", reason: "broken private key" };
  const type = inner.text();
  const jwk = opensshJwk(type, inner);
  if (jwk === null) return { kind: "unsupported", blob, reason: `${type} keys need ssh-agent` };
  return { kind: "private", key: createPrivateKey({ key: jwk, format: "jwk" }), blob };
}

function opensshJwk(type: string, reader: WireReader): JsonWebKey | null {
  switch (type) {
    case "ssh-ed25519": {
      const x = reader.string();
      return { kty: "OKP", crv: "Ed25519", x: base64url(x), d: base64url(reader.string().subarray(0, 32)) };
    }
    case "ecdsa-sha2-nistp256":
    case "ecdsa-sha2-nistp384":
    case "ecdsa-sha2-nistp521": {
      const crv = CURVES[reader.text()];
      if (crv === undefined) return null;
      const point = reader.string();
      const size = (point.length - 1) / 2;
      const d = leftPad(reader.mpint(), size);
      const [x, y] = [point.subarray(1, 1 + size), point.subarray(1 + size)];
      return { kty: "EC", crv, x: base64url(x), y: base64url(y), d: base64url(d) };
    }
    case "ssh-rsa": {
      const [n, e, d] = [reader.mpint(), reader.mpint(), reader.mpint()];
      const [qi, p, q] = [reader.mpint(), reader.mpint(), reader.mpint()];
      // The format leaves out the exponents of the Chinese remainder theorem.
      const [dp, dq] = [crtExponent(d, p), crtExponent(d, q)];
      const parts = { n, e, d, p, q, dp, dq, qi };
      const encoded = Object.entries(parts).map(([name, value]) => [name, base64url(value)] as const);
      return { kty: "RSA", ...Object.fromEntries(encoded) };
    }
    default:
      return null;
  }
}

function parsePem(text: string): ParsedKeyFile {
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text))
    return { kind: "invalid", reason: "not a private key" };
  if (/-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m.test(text)) {
    return { kind: "encrypted", blob: null };
  }
  const key = createPrivateKey(text);
  const blob = publicBlob(key);
  if (blob === null) {
    return {
      kind: "unsupported",
      blob: null,
      reason: `${key.asymmetricKeyType ?? "unknown"} keys are not supported`,
    };
  }
  return { kind: "private", key, blob };
}

/** The SSH public key blob of a private key; null for types that SSH does not have or no longer accepts. */
export function publicBlob(key: KeyObject): Buffer | null {
  const jwk = createPublicKey(key).export({ format: "jwk" });
  const field = (value: unknown): Buffer => Buffer.from(typeof value === "string" ? value : "", "base64url");
  if (jwk.kty === "OKP" && jwk.crv === "Ed25519") {
    return Buffer.concat([wireString("ssh-ed25519"), wireString(field(jwk.x))]);
  }
  if (jwk.kty === "RSA") {
    return Buffer.concat([wireString("ssh-rsa"), wireMpint(field(jwk.e)), wireMpint(field(jwk.n))]);
  }
  const curve = Object.entries(CURVES).find(([, crv]) => jwk.kty === "EC" && crv === jwk.crv)?.[0];
  if (curve === undefined) return null;
  const point = Buffer.concat([Buffer.from([4]), field(jwk.x), field(jwk.y)]);
  return Buffer.concat([wireString(`ecdsa-sha2-${curve}`), wireString(curve), wireString(point)]);
}

function crtExponent(d: Buffer, prime: Buffer): Buffer {
  const hex = (BigInt(`0x${d.toString("hex")}`) % (BigInt(`0x${prime.toString("hex")}`) - 1n)).toString(16);
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, "hex");
}

function leftPad(bytes: Buffer, size: number): Buffer {
  return Buffer.concat([Buffer.alloc(Math.max(0, size - bytes.length)), bytes]);
}

function base64url(bytes: Buffer): string {
  return bytes.toString("base64url");
}

const SIGNATURE_HASHES: Readonly<Record<string, string>> = {
  "ssh-rsa": "sha1",
  "rsa-sha2-256": "sha256",
  "rsa-sha2-512": "sha512",
  "ecdsa-sha2-nistp256": "sha256",
  "ecdsa-sha2-nistp384": "sha384",
  "ecdsa-sha2-nistp521": "sha512",
};

/** The SSH signature blob. `algorithm` is a plain one (no certificate type). Throws when it does not fit the key. */
export function signWithKey(key: KeyObject, algorithm: string, data: Buffer): Buffer {
  if (algorithm === "ssh-ed25519") return signatureBlob(algorithm, sign(null, data, key));
  const hash = SIGNATURE_HASHES[algorithm];
  if (hash === undefined) throw new Error(`no signature algorithm ${algorithm}`);
  if (!algorithm.startsWith("ecdsa-")) return signatureBlob(algorithm, sign(hash, data, key));
  const pair = sign(hash, data, { key, dsaEncoding: "ieee-p1363" });
  const half = pair.length / 2;
  const body = Buffer.concat([wireMpint(pair.subarray(0, half)), wireMpint(pair.subarray(half))]);
  return signatureBlob(algorithm, body);
}

function signatureBlob(algorithm: string, body: Buffer): Buffer {
  return Buffer.concat([wireString(algorithm), wireString(body)]);
}
