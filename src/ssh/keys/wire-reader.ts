/** Reading SSH's binary types (RFC 4251, section 5). */

/** Bytes that are not what the format says. */
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
