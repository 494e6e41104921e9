/** SSH's binary types (RFC 4251, section 5), read and written, and base64 as ssh reads it. */

/** The bytes do not have the format that is expected. */
export class WireError extends Error {
  override readonly name = "WireError";
}

export class WireReader {
  #at = 0;
  constructor(private readonly bytes: Buffer) {}

  get left(): number {
    return this.bytes.length - this.#at;
  }

  take(length: number): Buffer {
    if (length > this.left) throw new WireError("truncated");
    this.#at += length;
    return this.bytes.subarray(this.#at - length, this.#at);
  }

  byte(): number {
    return this.take(1).readUInt8();
  }

  uint32(): number {
    return this.take(4).readUInt32BE();
  }

  uint64(): bigint {
    return this.take(8).readBigUInt64BE();
  }

  string(): Buffer {
    return this.take(this.uint32());
  }

  text(): string {
    return this.string().toString("latin1");
  }

  /** A non-negative mpint without its leading zeros; ssh takes at most 16,384 bits. */
  mpint(): Buffer {
    const bytes = this.string();
    const first = bytes.findIndex((byte) => byte !== 0);
    const trimmed = first < 0 ? bytes.subarray(bytes.length) : bytes.subarray(first);
    if ((bytes[0] ?? 0) >= 0x80) throw new WireError("negative number");
    if (bytes.length > 2049 || trimmed.length > 2048) throw new WireError("number too long");
    return trimmed;
  }
}

/** A `string`: its length and its bytes. */
export function wireString(value: string | Buffer): Buffer {
  const bytes = typeof value === "string" ? Buffer.from(value, "utf8") : value;
  return Buffer.concat([uint32(bytes.length), bytes]);
}

/** A non-negative `mpint` of big-endian bytes, with or without leading zeros. */
export function wireMpint(bytes: Buffer): Buffer {
  const first = bytes.findIndex((byte) => byte !== 0);
  if (first < 0) return uint32(0);
  const trimmed = bytes.subarray(first);
  return wireString((trimmed[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.from([0]), trimmed]) : trimmed);
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/**
 * Base64 as ssh reads it (b64_pton): padding is required and its spare bits must be zero; white space is skipped
 * anywhere, so a carriage return at the line's end does no harm. Null for anything else.
 */
export function decodeBase64(text: string): Buffer | null {
  const bare = text.replace(/[ \t\n\v\f\r]+/g, "");
  const bytes = Buffer.from(bare, "base64");
  return bytes.toString("base64") === bare ? bytes : null;
}
