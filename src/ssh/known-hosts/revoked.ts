/** RevokedHostKeys files: a list of public keys, or a KRL (authfile.c: sshkey_check_revoked). */
import { readFileSync } from "node:fs";
import { localLimit } from "../../contract/local-limit.js";
import { errorCode } from "../../lib/error-code.js";
import { readKeyText, ShortKeyError, type PublicKey } from "../keys/public-key.js";
import { WireError } from "../keys/wire-reader.js";
import type { RevokedBy } from "./host-key.js";
import { isKrl, readKrl } from "./krl.js";

export type RevocationCheck =
  | { readonly kind: "clear" }
  | { readonly kind: "revoked"; readonly at: RevokedBy }
  | { readonly kind: "revocation-unreadable"; readonly at: RevokedBy; readonly reason: string };

/** What one file says of a key. Never throws. */
export type RevocationFile = (key: PublicKey) => RevocationCheck;

/** Reads a file once. Throws HostError `local-limit` where this machine cannot open it now. A missing or broken one makes every answer `revocation-unreadable`, as ssh then refuses all. */
export function readRevocationFile(file: string): RevocationFile {
  try {
    const bytes = readFileSync(file);
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

/** One key a line. ssh reads to the first line that decides: a bad one decides only where it stands before the key's. */
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
