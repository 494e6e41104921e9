/**
 * RevokedHostKeys files (authfile.c: sshkey_check_revoked): a list of public keys, or a binary key revocation list, as
 * `ssh-keygen -k` makes it (OpenSSH's PROTOCOL.krl).
 */
import { createHash } from "node:crypto";
import { localLimit } from "../../contract/local-limit.js";
import { readFileBoundedSync } from "../../lib/bounded-file.js";
import { errorCode } from "../../lib/error-code.js";
import { readKeyText, readPublicKey, ShortKeyError, type PublicKey } from "../keys/public-key.js";
import { WireError, WireReader } from "../keys/wire.js";
import type { RevokedBy } from "./host-key.js";

export type RevocationCheck =
  | { readonly kind: "clear" }
  | { readonly kind: "revoked"; readonly at: RevokedBy }
  | { readonly kind: "revocation-unreadable"; readonly at: RevokedBy; readonly reason: string };

/** Whether one file revokes a key. Never throws. */
export type RevocationFile = (key: PublicKey) => RevocationCheck;

const MAX_REVOKED_BYTES = 64 * 1024 * 1024;

/**
 * Reads a file once. Throws HostError `local-limit` where this machine cannot open it now. With a missing or broken file
 * every answer is `revocation-unreadable`: ssh then refuses all keys.
 */
export function readRevocationFile(file: string): RevocationFile {
  try {
    const { bytes } = readFileBoundedSync(file, MAX_REVOKED_BYTES);
    if (!isKrl(bytes)) return indexRevokedKeys(bytes.toString("latin1"), file);
    const revokes = readKrl(bytes);
    const at = { file, line: null };
    return (key) => (revokes(key) ? { kind: "revoked", at } : { kind: "clear" });
  } catch (error) {
    const limit = localLimit(error, "handshake", file);
    if (limit !== null) throw limit;
    const reason = error instanceof WireError ? `broken KRL: ${error.message}` : errorCode(error);
    if (reason === null) throw error;
    return () => ({ kind: "revocation-unreadable", at: { file, line: null }, reason });
  }
}

/** One key a line. ssh reads to the first line that decides: a bad line decides only where it is before the key's. */
export function indexRevokedKeys(text: string, file: string): RevocationFile {
  const lineOf = new Map<string, number>();
  let bad: { line: number; reason: string } | null = null;
  for (const [index, line] of text.split("\n").entries()) {
    const key = readListed(line);
    if (key === null) continue;
    if (typeof key === "string") {
      bad = { line: index + 1, reason: key };
      break;
    }
    if (!lineOf.has(key.identity)) lineOf.set(key.identity, index + 1);
  }
  return (key) => {
    const authority = key.certificate?.authority.identity;
    const lines = [key.identity, ...(authority === undefined ? [] : [authority])].map((id) => lineOf.get(id));
    const line = Math.min(...lines.map((number) => number ?? Infinity));
    if (line !== Infinity) return { kind: "revoked", at: { file, line } };
    if (bad === null) return { kind: "clear" };
    return { kind: "revocation-unreadable", at: { file, line: bad.line }, reason: bad.reason };
  };
}

/** Null for a line without a key, a reason for one that ssh cannot read. */
function readListed(raw: string): PublicKey | string | null {
  const end = raw.indexOf("\0");
  const line = (end < 0 ? raw : raw.slice(0, end)).replace(/^[ \t]+/, "");
  if (line === "" || line.startsWith("#")) return null;
  try {
    return readKeyText(line);
  } catch (error) {
    if (error instanceof ShortKeyError) return null;
    if (error instanceof WireError) return error.message;
    throw error;
  }
}

const KRL_MAGIC = Buffer.from("SSHKRL\n\0", "latin1");
const SECTION = { certificates: 1, keys: 2, sha1: 3, signature: 4, sha256: 5 } as const;

function isKrl(bytes: Buffer): boolean {
  return bytes.subarray(0, KRL_MAGIC.length).equals(KRL_MAGIC);
}

/**
 * Whether a KRL revokes a key, or the authority of its certificate, by itself or by its hash. Lists of serial numbers
 * and key ids are not read: where there are any, every certificate counts as revoked. Throws WireError for a broken KRL.
 */
export function readKrl(bytes: Buffer): (key: PublicKey) => boolean {
  const reader = new WireReader(bytes);
  reader.take(KRL_MAGIC.length);
  if (reader.uint32() !== 1) throw new WireError("unknown KRL version");
  for (let i = 0; i < 3; i++) reader.uint64();
  reader.string();
  reader.string();
  const keys = new Set<string>();
  const hashes = new Set<string>();
  let hasCertificates = false;
  while (reader.left > 0) {
    const kind = reader.byte();
    const section = new WireReader(reader.string());
    if (kind === SECTION.signature) break;
    if (kind === SECTION.certificates) {
      hasCertificates = true;
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
      (hasCertificates || isListed(certificate.authority.identity, certificate.authorityBlob)));
}
