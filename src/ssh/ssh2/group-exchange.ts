/**
 * Diffie-Hellman with a group that the server chose (RFC 4419). Node's own class tests each time whether the prime is one,
 * which takes 1.4 s of this process for 3072 bits and 25 s for the 8192 that a server may choose: no other host is read
 * meanwhile. As OpenSSH's client does, this one checks the size of the prime and the other side's public key, not the prime.
 */
import { createPrivateKey, createPublicKey, diffieHellman, randomBytes, type KeyObject } from "node:crypto";
import { protocolOf } from "./internals.js";
import { MESSAGE } from "./message-numbers.js";

/** Bits of the prime (RFC 8270, section 3), as ssh2 asks for them. */
const MIN_PRIME_BITS = 2048;
const MAX_PRIME_BITS = 8192;
/** Twice the 256 bits of the longest key that is derived, as OpenSSH's dh_gen_key; a longer one costs many times as much. */
const EXPONENT_BYTES = 64;

/** The part of ssh2's exchange that is used; `_dh` is what it computes with. */
interface GroupExchange {
  readonly type: unknown;
  readonly _prime: unknown;
  readonly _generator: unknown;
  _dh: unknown;
  _public: unknown;
}

/** Call with each message before ssh2 handles it. */
export function prepareGroupExchange(client: object, message: Uint8Array): void {
  if (message[0] !== MESSAGE.KEX_DH_GEX_GROUP) return;
  const exchange: unknown = Reflect.get(protocolOf(client), "_kex");
  if (!isGroupExchange(exchange)) return;
  Object.defineProperty(exchange, "generateKeys", {
    configurable: true,
    value: function (this: GroupExchange): void {
      if (this._dh !== null && this._dh !== undefined) return;
      if (!Buffer.isBuffer(this._prime) || !Buffer.isBuffer(this._generator)) return;
      const keys = new GroupKeys(this._prime, this._generator);
      this._dh = keys;
      this._public = keys.getPublicKey();
    },
  });
}

function isGroupExchange(value: unknown): value is GroupExchange {
  return typeof value === "object" && value !== null && Reflect.get(value, "type") === "groupex";
}

/** A key pair in a group, with the methods of Node's DiffieHellman that ssh2 calls. Numbers are big-endian. */
export class GroupKeys {
  readonly #prime: Buffer;
  readonly #generator: Buffer;
  readonly #private: KeyObject;
  readonly #public: Buffer;

  /** Throws for a prime of a size that was not asked for, and for what is no group. */
  constructor(prime: Buffer, generator: Buffer) {
    this.#prime = digits(prime);
    this.#generator = digits(generator);
    const bits = bitsOf(this.#prime);
    if (bits < MIN_PRIME_BITS || bits > MAX_PRIME_BITS)
      throw new Error(
        `Diffie-Hellman group exchange: a prime of ${bits} bits; ${MIN_PRIME_BITS} to ${MAX_PRIME_BITS} were asked for`,
      );
    if (((this.#prime.at(-1) ?? 0) & 1) === 0)
      throw new Error("Diffie-Hellman group exchange: the prime is even");
    if (!isWithin(this.#generator, this.#prime))
      throw new Error("Diffie-Hellman group exchange: the generator is not in the group");
    const exponent = randomBytes(EXPONENT_BYTES);
    this.#private = createPrivateKey({
      key: sequence(integer(Buffer.alloc(1)), this.#algorithm(), tagged(0x04, integer(digits(exponent)))),
      format: "der",
      type: "pkcs8",
    });
    this.#public = publicNumber(createPublicKey(this.#private).export({ type: "spki", format: "der" }));
  }

  getPrime(): Buffer {
    return this.#prime;
  }

  getGenerator(): Buffer {
    return this.#generator;
  }

  getPublicKey(): Buffer {
    return this.#public;
  }

  /** Throws for a public key that is not in the group (RFC 4253, section 8: 1 to p-1 without both). */
  computeSecret(other: Buffer): Buffer {
    const peer = digits(other);
    if (!isWithin(peer, this.#prime))
      throw new Error("Diffie-Hellman group exchange: the server's public key is not in the group");
    // One byte ahead of it: how many bits are left free (X.690, section 8.6).
    const bits = Buffer.concat([Buffer.alloc(1), integer(peer)]);
    const publicKey = createPublicKey({
      key: sequence(this.#algorithm(), tagged(0x03, bits)),
      format: "der",
      type: "spki",
    });
    return digits(diffieHellman({ privateKey: this.#private, publicKey }));
  }

  /** AlgorithmIdentifier of PKCS #3: dhKeyAgreement, with the prime and the base. */
  #algorithm(): Buffer {
    return sequence(DH_KEY_AGREEMENT, sequence(integer(this.#prime), integer(this.#generator)));
  }
}

/** 1.2.840.113549.1.3.1 */
const DH_KEY_AGREEMENT = Buffer.from("06092a864886f70d010301", "hex");

/** Without leading zeros. */
function digits(number: Buffer): Buffer {
  const first = number.findIndex((byte) => byte !== 0);
  return first < 0 ? Buffer.alloc(0) : number.subarray(first);
}

function bitsOf(number: Buffer): number {
  return number.length === 0 ? 0 : 8 * number.length - (Math.clz32(number[0] ?? 0) - 24);
}

/** Greater than 1 and less than prime - 1; the prime is odd. */
function isWithin(number: Buffer, prime: Buffer): boolean {
  if (number.length === 0 || (number.length === 1 && number[0] === 1)) return false;
  if (number.length !== prime.length) return number.length < prime.length;
  const most = Buffer.from(prime);
  most[most.length - 1] = (most.at(-1) ?? 1) - 1;
  return Buffer.compare(number, most) < 0;
}

/** DER (X.690, section 8.1). */
function tagged(tag: number, content: Buffer): Buffer {
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content]);
  const size = digits(
    Buffer.from([length >>> 24, (length >>> 16) & 0xff, (length >>> 8) & 0xff, length & 0xff]),
  );
  return Buffer.concat([Buffer.from([tag, 0x80 | size.length]), size, content]);
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tagged(0x30, Buffer.concat(parts));
}

/** Not negative: a zero stands before a set first bit. */
function integer(number: Buffer): Buffer {
  const isSet = number.length === 0 || ((number[0] ?? 0) & 0x80) !== 0;
  return tagged(0x02, isSet ? Buffer.concat([Buffer.alloc(1), number]) : number);
}

/** The integer at the end of a SubjectPublicKeyInfo that OpenSSL wrote: SEQUENCE { algorithm, BIT STRING { INTEGER } }. */
function publicNumber(info: Buffer): Buffer {
  const outer = contentOf(info, 0);
  const algorithm = contentOf(info, outer.start);
  const bits = contentOf(info, algorithm.end);
  const number = contentOf(info, bits.start + 1);
  return digits(info.subarray(number.start, number.end));
}

function contentOf(der: Buffer, at: number): { readonly start: number; readonly end: number } {
  const first = der[at + 1] ?? 0;
  if (first < 0x80) return { start: at + 2, end: at + 2 + first };
  const sizeBytes = first & 0x7f;
  const start = at + 2 + sizeBytes;
  return { start, end: start + der.readUIntBE(at + 2, sizeBytes) };
}
