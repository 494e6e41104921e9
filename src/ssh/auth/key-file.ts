/** What is in a key file and in the files beside it: `FILE`, `FILE.pub` and `FILE-cert.pub`. */
import type { KeyObject } from "node:crypto";
import type { Stats } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { isLocalLimit } from "../../contract/local-limit.js";
import { errorCode } from "../../lib/error-code.js";
import { decodeBase64 } from "../keys/wire.js";
import { parsePrivateKey } from "../keys/private-key.js";

/** An IdentityFile as it was found. */
export type KeyFile =
  | { readonly kind: "missing" }
  | {
      readonly kind: "usable";
      readonly key: KeyObject;
      readonly blob: Buffer;
      readonly certificate: Buffer | null;
    }
  /** Cannot sign by itself; an agent may hold the private half of `blob`. */
  | {
      readonly kind: "unusable";
      readonly blob: Buffer | null;
      readonly certificate: Buffer | null;
      readonly reason: string;
      /** What the user can do at once. */
      readonly remedy: KeyRemedy | null;
      /** The system error of this machine that kept it from being read: it may be usable later. */
      readonly localLimit?: unknown;
    };

/** `protect`: chmod 600; `add`: ssh-add; `make`: there is no such key yet. */
export type KeyRemedy = "protect" | "add" | "make";

/** Where key files are read from: this module, or the cache in fast/. */
export interface KeyFiles {
  /** Never rejects. */
  load(path: string): Promise<KeyFile>;
}

// A key file holds some KiB; anything longer is no key, and a device file would never end.
const MAX_FILE_BYTES = 1 << 20;

/** Reads and parses a key file, with the public key and the certificate beside it. Never rejects. */
export async function readKeyFile(path: string): Promise<KeyFile> {
  try {
    return await readParts(path);
  } catch (error) {
    const reason = `cannot be read (${errorCode(error) ?? "error"})`;
    return {
      ...{ kind: "unusable", blob: null, certificate: null, reason, remedy: null },
      ...(isLocalLimit(error) ? { localLimit: error } : {}),
    };
  }
}

/** Throws where this machine's limits keep a part from being read. */
async function readParts(path: string): Promise<KeyFile> {
  const certificate = await readPublicFile(`${path}-cert.pub`);
  const beside = await readPublicFile(`${path}.pub`);
  const stats = await statFile(path);
  const unusable = (reason: string, blob: Buffer | null, remedy: KeyRemedy | null = null): KeyFile => ({
    kind: "unusable",
    blob: blob ?? beside,
    certificate,
    reason,
    remedy,
  });
  if (stats === null)
    return beside === null ? { kind: "missing" } : unusable("the private key is missing", beside);
  if (!stats.isFile() || stats.size > MAX_FILE_BYTES) return unusable("not a key file", null);
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (isLocalLimit(error)) throw error;
    return unusable(`cannot be read (${errorCode(error) ?? "error"})`, null);
  }
  const publicOnly = publicBlobOfLine(text);
  if (publicOnly !== null) return unusable("a public key: its private half must be in ssh-agent", publicOnly);
  // authfile.c: sshkey_perm_ok checks the mode of files that belong to the user.
  if (stats.uid === process.getuid?.() && (stats.mode & 0o077) !== 0) {
    const mode = (stats.mode & 0o777).toString(8).padStart(4, "0");
    return unusable(`unprotected private key file (mode ${mode}): chmod 600`, null, "protect");
  }
  const parsed = parsePrivateKey(text);
  switch (parsed.kind) {
    case "private":
      return { kind: "usable", key: parsed.key, blob: parsed.blob, certificate };
    case "encrypted":
      return unusable("encrypted: use ssh-agent (ssh-add)", parsed.blob, "add");
    case "unsupported":
      return unusable(parsed.reason, parsed.blob);
    case "invalid":
      return unusable(parsed.reason, null);
  }
}

/** The blob of a file that holds one public key or certificate line; null for anything else. Throws for local limits. */
export async function readPublicFile(path: string): Promise<Buffer | null> {
  try {
    const stats = await statFile(path);
    if (stats === null || !stats.isFile() || stats.size > MAX_FILE_BYTES) return null;
    return publicBlobOfLine(await readFile(path, "utf8"));
  } catch (error) {
    if (isLocalLimit(error)) throw error;
    return null;
  }
}

function publicBlobOfLine(text: string): Buffer | null {
  for (const line of text.split("\n")) {
    const [, type, base64] = /^\s*([a-z][\w@.-]*)\s+(AAAA[A-Za-z0-9+/=]+)/.exec(line) ?? [];
    if (type === undefined || base64 === undefined) continue;
    const blob = decodeBase64(base64);
    if (blob === null) continue;
    const length = blob.length >= 4 ? blob.readUInt32BE() : 0;
    if (blob.subarray(4, 4 + length).toString("latin1") === type) return blob;
  }
  return null;
}

async function statFile(path: string): Promise<Stats | null> {
  try {
    return await stat(path);
  } catch {
    return null;
  }
}
