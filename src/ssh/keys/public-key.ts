/** Public keys and certificates as blobs (RFC 4253, section 6.6; RFC 5656; RFC 8709; OpenSSH's PROTOCOL.certkeys). */
import { ECDH } from "node:crypto";
import { decodeBase64, WireError, WireReader, wireString } from "./wire.js";

export interface PublicKey {
  /** The type: `ssh-rsa` for all RSA, with `-cert-v01@openssh.com` for a certificate. */
  readonly type: string;
  /** The type without the certificate. */
  readonly plainType: string;
  /** Equal for two blobs of the same public key, certified or not. */
  readonly identity: string;
  /** The blob without the certificate, as in known_hosts. */
  readonly plainBlob: Buffer;
  /** Null for types other than RSA. */
  readonly rsaBits: number | null;
  readonly certificate: Certificate | null;
}

export interface Certificate {
  readonly serial: bigint;
  /** 1 user, 2 host. */
  readonly kind: number;
  readonly keyId: string;
  readonly principals: readonly string[];
  /** Seconds since 1970. */
  readonly validAfter: bigint;
  readonly validBefore: bigint;
  readonly criticalOptions: readonly string[];
  readonly authority: PublicKey;
  readonly authorityBlob: Buffer;
  readonly signature: Buffer;
  /** The bytes that are signed. */
  readonly signed: Buffer;
}

/** An RSA key that is too short for ssh. Unlike other bad keys it is skipped in a revocation list. */
export class ShortKeyError extends Error {
  override readonly name = "ShortKeyError";
}

const CERT = "-cert-v01@openssh.com";
const SK_CERT = /^(sk-ssh-ed25519|sk-ecdsa-sha2-nistp256)-cert-v01@openssh\.com$/;
const CURVES: Readonly<Record<string, string>> = {
  nistp256: "prime256v1",
  nistp384: "secp384r1",
  nistp521: "secp521r1",
};
const PLAIN_TYPES = new Set([
  "ssh-ed25519",
  "ssh-rsa",
  "ssh-dss",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "sk-ssh-ed25519@openssh.com",
  "sk-ecdsa-sha2-nistp256@openssh.com",
]);
const MIN_RSA_BITS = 1024;

/** The plain key type of an algorithm or key type name, or null: `rsa-sha2-512-cert-...` is `ssh-rsa`. */
export function plainTypeOf(name: string): string | null {
  const sk = SK_CERT.exec(name)?.[1];
  if (sk !== undefined) return `${sk}@openssh.com`;
  const plain = name.endsWith(CERT) ? name.slice(0, -CERT.length) : name;
  const type = /^rsa-sha2-(256|512)$/.test(plain) ? "ssh-rsa" : plain.replace(/^webauthn-(?=sk-ecdsa)/, "");
  if (!PLAIN_TYPES.has(type) || (plain !== name && type.startsWith("sk-"))) return null;
  return type;
}

export function isCertificateType(name: string): boolean {
  return name.endsWith(CERT);
}

/** Throws WireError or ShortKeyError. */
export function readPublicKey(blob: Buffer): PublicKey {
  const reader = new WireReader(blob);
  const name = reader.text();
  const plainType = plainTypeOf(name);
  if (plainType === null) throw new WireError("unknown key type");
  const certified = isCertificateType(name);
  if (certified) reader.string();
  const start = blob.length - reader.left;
  const fields = readFields(reader, plainType);
  const keyBytes = blob.subarray(start, blob.length - reader.left);
  const certificate = certified ? readCertificate(reader, blob) : null;
  if (reader.left > 0) throw new WireError("bytes left over");
  const modulus = plainType === "ssh-rsa" ? fields[1] : undefined;
  const rsaBits = modulus === undefined ? null : bitLength(modulus);
  if (rsaBits !== null && rsaBits < MIN_RSA_BITS) throw new ShortKeyError("RSA key too short");
  return {
    type: certified ? certificateTypeOf(plainType) : plainType,
    plainType,
    identity: [plainType, ...fields.map((field) => field.toString("base64"))].join(" "),
    plainBlob: certified ? Buffer.concat([wireString(plainType), keyBytes]) : blob,
    rsaBits,
    certificate,
  };
}

/** `type base64 comment` as ssh reads it (sshkey_read); the blob must be of the type named. Throws as readPublicKey. */
export function readKeyText(text: string): PublicKey {
  const [, name, base64] = /^([^ \t]*)[ \t]+([^ \t]+)/.exec(text) ?? [];
  const plainType = name === undefined ? null : plainTypeOf(name);
  if (name === undefined || base64 === undefined || plainType === null) throw new WireError("no key");
  const blob = decodeBase64(base64);
  if (blob === null) throw new WireError("bad base64");
  const key = readPublicKey(blob);
  if (key.plainType !== plainType || (key.certificate !== null) !== isCertificateType(name)) {
    throw new WireError("key of another type");
  }
  return key;
}

function readFields(reader: WireReader, plainType: string): Buffer[] {
  switch (plainType) {
    case "ssh-ed25519":
      return [ed25519Point(reader)];
    case "sk-ssh-ed25519@openssh.com":
      return [ed25519Point(reader), reader.string()];
    case "ssh-rsa":
      return [reader.mpint(), reader.mpint()];
    case "ssh-dss":
      return [reader.mpint(), reader.mpint(), reader.mpint(), reader.mpint()];
    case "sk-ecdsa-sha2-nistp256@openssh.com":
      return [curvePoint(reader, "nistp256"), reader.string()];
    default:
      return [curvePoint(reader, plainType.slice("ecdsa-sha2-".length))];
  }
}

function ed25519Point(reader: WireReader): Buffer {
  const point = reader.string();
  if (point.length !== 32) throw new WireError("bad ed25519 key length");
  return point;
}

function curvePoint(reader: WireReader, curve: string): Buffer {
  const openssl = CURVES[curve];
  if (openssl === undefined || reader.text() !== curve) throw new WireError("curve of another type");
  const point = reader.string();
  // ssh accepts no other encoding of a point (sshbuf_get_ec).
  if (point[0] !== 0x04) throw new WireError("point is compressed");
  try {
    ECDH.convertKey(point, openssl);
  } catch {
    throw new WireError("point not on the curve");
  }
  return point;
}

function readCertificate(reader: WireReader, blob: Buffer): Certificate {
  const serial = reader.uint64();
  const kind = reader.uint32();
  const keyId = reader.text();
  const principals = readAll(reader.string(), (list) => list.text());
  const validAfter = reader.uint64();
  const validBefore = reader.uint64();
  const criticalOptions = readAll(reader.string(), readOptionName);
  reader.string();
  reader.string();
  const authorityBlob = reader.string();
  const authority = readPublicKey(authorityBlob);
  if (authority.certificate !== null) throw new WireError("certificate signed by a certificate");
  const signed = blob.subarray(0, blob.length - reader.left);
  const signature = reader.string();
  return {
    serial,
    kind,
    keyId,
    principals,
    validAfter,
    validBefore,
    criticalOptions,
    authority,
    authorityBlob,
    signature,
    signed,
  };
}

function readAll<T>(bytes: Buffer, item: (reader: WireReader) => T): T[] {
  const reader = new WireReader(bytes);
  const items: T[] = [];
  while (reader.left > 0) items.push(item(reader));
  return items;
}

function certificateTypeOf(plainType: string): string {
  return plainType.replace("@openssh.com", "") + CERT;
}

function bitLength(number: Buffer): number {
  return number.length === 0 ? 0 : number.length * 8 - Math.clz32(number[0] ?? 0) + 24;
}

function readOptionName(list: WireReader): string {
  const name = list.text();
  list.string();
  return name;
}
