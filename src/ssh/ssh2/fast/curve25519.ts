/**
 * Faster Curve25519 exchanges and Ed25519 checks. ssh2 1.17 converts its keys to DER and PEM and back at every use, for
 * which OpenSSL 3 needs several times as long as for the exchange and the signature themselves. As JWK (RFC 8037) a key is
 * its 32 bytes and nothing is parsed. Without it ssh2 computes the same secrets and verdicts by its own way.
 */
import { createPrivateKey, createPublicKey, diffieHellman, randomBytes, verify } from "node:crypto";
import type { KeyObject } from "node:crypto";

const RAW_BYTES = 32;

/** The part of ssh2's key exchange that is used here. */
interface Exchange {
  readonly type: unknown;
  _keys: { readonly publicKey: KeyObject; readonly privateKey: KeyObject } | null | undefined;
  generateKeys(): void;
  getPublicKey(): Buffer;
  computeSecret(other: Buffer): Buffer | Error;
}

let isPatched = false;

/**
 * Makes ssh2's Curve25519 exchanges use raw keys, rekeys included; exchanges of other kinds stay as they are. ssh2 does not
 * export the class: it is found by an accessor on the first protocol object. Later protocol objects get no accessor, which
 * would slow down every use.
 */
export function exchangeRawKeys(protocol: object): void {
  if (isPatched) return;
  let current: unknown = Reflect.get(protocol, "_kex");
  Object.defineProperty(protocol, "_kex", {
    configurable: true,
    enumerable: true,
    get: () => current,
    set: (exchange: unknown) => {
      current = exchange;
      if (!isCurve25519(exchange)) return;
      const shared = Object.getPrototypeOf(exchange) as object;
      isPatched =
        Reflect.set(shared, "generateKeys", rawKeys) &&
        Reflect.set(shared, "getPublicKey", rawPublicKey) &&
        Reflect.set(shared, "computeSecret", rawSecret);
    },
  });
}

function isCurve25519(value: unknown): value is Exchange {
  if (typeof value !== "object" || value === null || Reflect.get(value, "type") !== "25519") return false;
  return (
    "_keys" in value &&
    ["generateKeys", "getPublicKey", "computeSecret"].every(
      (name) => typeof Reflect.get(value, name) === "function",
    )
  );
}

/**
 * Does not use generateKeyPairSync: its job object holds the key until it is garbage collected, and takes the key's lock
 * then. Node 20 makes a JWK under that lock, so that a collection in between would deadlock. X25519 takes any 32 bytes as
 * a private key (RFC 7748, section 5); Node does not read the `x` of a private key.
 */
function rawKeys(this: Exchange): void {
  if (this._keys !== null && this._keys !== undefined) return;
  const d = randomBytes(RAW_BYTES).toString("base64url");
  const privateKey = createPrivateKey({ key: { kty: "OKP", crv: "X25519", x: "", d }, format: "jwk" });
  this._keys = { privateKey, publicKey: createPublicKey(privateKey) };
}

function rawPublicKey(this: Exchange): Buffer {
  this.generateKeys();
  return Buffer.from(this._keys?.publicKey.export({ format: "jwk" }).x ?? "", "base64url");
}

/** Returns an error instead of throwing it, as ssh2 expects. */
function rawSecret(this: Exchange, other: Buffer): Buffer | Error {
  this.generateKeys();
  if (this._keys === null || this._keys === undefined) return new Error("no key pair");
  try {
    const publicKey = publicKeyOf("X25519", other);
    return mpint(diffieHellman({ privateKey: this._keys.privateKey, publicKey }));
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** Throws for anything but 32 bytes. */
function publicKeyOf(curve: "X25519" | "Ed25519", raw: Buffer): KeyObject {
  if (raw.length !== RAW_BYTES) throw new Error(`a ${curve} key of ${raw.length} bytes`);
  return createPublicKey({
    key: { kty: "OKP", crv: curve, x: raw.toString("base64url") },
    format: "jwk",
  });
}

/** The content of an SSH mpint (RFC 4251, section 5): no leading zeros, except one before a set sign bit. */
function mpint(secret: Buffer): Buffer {
  const first = secret.findIndex((byte) => byte !== 0);
  const digits = secret.subarray(first < 0 ? secret.length : first);
  return ((digits[0] ?? 0) & 0x80) === 0 ? digits : Buffer.concat([Buffer.alloc(1), digits]);
}

interface PublicKey {
  readonly type: string;
  getPublicSSH(): Buffer;
  verify: (this: PublicKey, data: Buffer, signature: Buffer, algorithm?: string) => boolean | Error;
}

/** Makes all ssh2 keys of the class of `sample` check Ed25519 signatures by the raw key. */
export function verifyByRawKeys(sample: object): void {
  const shared: unknown = Object.getPrototypeOf(sample);
  if (!isPublicKey(shared)) return;
  const byPem = shared.verify;
  shared.verify = function (this: PublicKey, data, signature, algorithm) {
    if (this.type !== "ssh-ed25519") return byPem.call(this, data, signature, algorithm);
    try {
      return verify(null, data, publicKeyOf("Ed25519", this.getPublicSSH().subarray(-RAW_BYTES)), signature);
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  };
}

function isPublicKey(value: unknown): value is PublicKey {
  if (typeof value !== "object" || value === null) return false;
  return ["getPublicSSH", "verify"].every((name) => typeof Reflect.get(value, name) === "function");
}
