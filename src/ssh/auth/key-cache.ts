/** Key files, each read and parsed once in a process and again only when it has changed. */
import type { KeyObject } from "node:crypto";
import type { Stats } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { isLocalLimit } from "../../contract/local-limit.js";
import type { Clock } from "../../lib/clock.js";
import { errorCode } from "../../lib/error-code.js";
import { decodeBase64 } from "../keys/wire.js";
import { parsePrivateKey } from "../keys/private-key.js";

/** What an IdentityFile turned out to be. */
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
      /** What the user can mend at once. */
      readonly remedy: KeyRemedy | null;
      /** The system error of this machine that kept it from being read: another look may find it usable. */
      readonly localLimit?: unknown;
    };

/** `protect`: chmod 600; `add`: ssh-add; `make`: there is no such key yet. */
export type KeyRemedy = "protect" | "add" | "make";

interface Entry {
  readonly stamp: string;
  readonly file: Promise<KeyFile>;
}

// A key file holds some KiB; anything longer is no key, and a device file would never end.
const MAX_FILE = 1 << 20;
const FRESH_MS = 5_000;

export class KeyCache {
  readonly #entries = new Map<string, Entry>();
  readonly #looked = new Map<string, { readonly atMs: number; readonly file: Promise<KeyFile> }>();

  constructor(private readonly clock: Clock) {}

  /** Never rejects. Looks at the file's times at most every few seconds, and parses it when they have changed. */
  load(path: string): Promise<KeyFile> {
    const last = this.#looked.get(path);
    const nowMs = this.clock.nowMs();
    if (last !== undefined && nowMs - last.atMs < FRESH_MS) return last.file;
    const file = this.#look(path);
    this.#looked.set(path, { atMs: nowMs, file });
    return file;
  }

  async #look(path: string): Promise<KeyFile> {
    const stamps = await Promise.all([stampOf(path), stampOf(`${path}.pub`), stampOf(`${path}-cert.pub`)]);
    const stamp = stamps.join(" ");
    const known = this.#entries.get(path);
    if (known?.stamp === stamp) return known.file;
    const file = readKeyFile(path);
    this.#entries.set(path, { stamp, file });
    const found = await file;
    if (found.kind === "unusable" && found.localLimit !== undefined) {
      this.#entries.delete(path);
      this.#looked.delete(path);
    }
    return found;
  }
}

async function stampOf(path: string): Promise<string> {
  const found = await statFile(path);
  return found === null ? "-" : `${found.ino}:${found.size}:${found.mtimeMs}:${found.mode}`;
}

async function readKeyFile(path: string): Promise<KeyFile> {
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
    return beside === null ? { kind: "missing" } : unusable("the private key is not there", beside);
  if (!stats.isFile() || stats.size > MAX_FILE) return unusable("not a key file", null);
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (isLocalLimit(error)) throw error;
    return unusable(`cannot be read (${errorCode(error) ?? "error"})`, null);
  }
  const publicOnly = publicBlobOfLine(text);
  if (publicOnly !== null) return unusable("a public key: its private half must be in ssh-agent", publicOnly);
  // authfile.c: sshkey_perm_ok looks at the mode of files that are the user's own.
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
    if (stats === null || !stats.isFile() || stats.size > MAX_FILE) return null;
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
