/** Binary key revocation lists, as `ssh-keygen -k` makes them (OpenSSH's PROTOCOL.krl). */
import { createHash } from "node:crypto";
import { readPublicKey, type PublicKey } from "../keys/public-key.js";
import { WireError, WireReader } from "../keys/wire-reader.js";

const MAGIC = Buffer.from("SSHKRL\n\0", "latin1");
const SECTION = { certificates: 1, keys: 2, sha1: 3, signature: 4, sha256: 5 } as const;

export function isKrl(bytes: Buffer): boolean {
  return bytes.subarray(0, MAGIC.length).equals(MAGIC);
}

/**
 * Whether a KRL revokes a key, or the authority of its certificate, by itself or by its hash. Lists of serial numbers
 * and key ids are not read: a certificate is taken for revoked where there are any. Throws WireError for a broken KRL.
 */
export function readKrl(bytes: Buffer): (key: PublicKey) => boolean {
  const reader = new WireReader(bytes);
  reader.take(MAGIC.length);
  if (reader.uint32() !== 1) throw new WireError("unknown KRL version");
  for (let i = 0; i < 3; i++) reader.uint64();
  reader.string();
  reader.string();
  const keys = new Set<string>();
  const hashes = new Set<string>();
  let namesCertificates = false;
  while (reader.left > 0) {
    const kind = reader.byte();
    const section = new WireReader(reader.string());
    if (kind === SECTION.signature) break;
    if (kind === SECTION.certificates) {
      namesCertificates = true;
      continue;
    }
    if (kind !== SECTION.keys && kind !== SECTION.sha1 && kind !== SECTION.sha256) {
      throw new WireError(`unknown KRL section ${kind}`);
    }
    while (section.left > 0) {
      const item = section.string();
      if (kind === SECTION.keys) keys.add(readPublicKey(item).identity);
      else hashes.add(item.toString("hex"));
    }
  }
  const isListed = (identity: string, blob: Buffer): boolean =>
    keys.has(identity) ||
    ["sha1", "sha256"].some((hash) => hashes.has(createHash(hash).update(blob).digest("hex")));
  return ({ identity, plainBlob, certificate }) =>
    isListed(identity, plainBlob) ||
    (certificate !== null &&
      (namesCertificates || isListed(certificate.authority.identity, certificate.authorityBlob)));
}
