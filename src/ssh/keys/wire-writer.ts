/** Writing SSH's binary types (RFC 4251, section 5). */

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
