/** The host names of a known_hosts line: plain, by patterns, or hashed (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT"). */
import { createHmac, randomBytes } from "node:crypto";
import { lowerAscii } from "../../lib/text.js";
import { hasPatterns, matchPatternList } from "../../lib/wildcard.js";
import { decodeBase64 } from "../keys/wire.js";

/** Which hosts a line is for. `list` is a comma list as written. */
export type EntryNames =
  | { readonly kind: "hashed"; readonly hash: HashedName }
  | { readonly kind: "patterns"; readonly list: string }
  | { readonly kind: "exact"; readonly list: string };

/** `|1|salt|HMAC-SHA1(salt, name)`: 20 bytes each. */
export interface HashedName {
  readonly salt: Buffer;
  readonly digest: Buffer;
}

const MAGIC = "|1|";
const DIGEST_BYTES = 20;

/** The first field of a line; null where ssh matches it with no host. */
export function readEntryNames(field: string): EntryNames | null {
  if (field.startsWith("|")) {
    const hash = readHashedName(field);
    return hash === null ? null : { kind: "hashed", hash };
  }
  return { kind: hasPatterns(field) ? "patterns" : "exact", list: field };
}

/**
 * Whether a line is for `name`, one byte a character. A hash distinguishes capitals, a list does not: ssh asks in lower
 * case, `ssh-keygen -F` as typed.
 */
export function isNamed(names: EntryNames, name: string): boolean {
  if (names.kind === "hashed") return isHashOf(names.hash, name);
  return matchPatternList(lowerAscii(name), names.list, true) === "matched";
}

/** A new salted hash of a name, as HashKnownHosts writes it. */
export function hashName(name: string, salt = randomBytes(DIGEST_BYTES)): string {
  const digest = createHmac("sha1", salt).update(name, "utf8").digest("base64");
  return `${MAGIC}${salt.toString("base64")}|${digest}`;
}

/** Null for a field that ssh does not accept as a hash. */
export function readHashedName(field: string): HashedName | null {
  if (!field.startsWith(MAGIC)) return null;
  const [saltText, digestText, more] = field.slice(MAGIC.length).split("|");
  if (saltText === undefined || digestText === undefined || more !== undefined) return null;
  const salt = decodeBase64(saltText);
  const digest = decodeBase64(digestText);
  if (salt?.length !== DIGEST_BYTES || digest?.length !== DIGEST_BYTES) return null;
  return { salt, digest };
}

/** `name` has one byte a character. */
export function isHashOf({ salt, digest }: HashedName, name: string): boolean {
  return createHmac("sha1", salt).update(name, "latin1").digest().equals(digest);
}
