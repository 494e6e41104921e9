import { createHash } from "node:crypto";
import { plainTypeOf } from "./public-key.js";
import { WireError, WireReader } from "./wire.js";

/** A server's host key as sent. */
export interface HostKey {
  /** `ssh-ed25519`, `ssh-rsa`, ..., or a certificate type, from inside the blob (RFC 4253, section 6.6). */
  readonly type: string;
  readonly blob: Buffer;
}

/** `SHA256:` and unpadded base64, as `ssh-keygen -l` prints it. */
export function fingerprint(blob: Buffer): string {
  return `SHA256:${createHash("sha256").update(blob).digest("base64").replace(/=+$/, "")}`;
}

/** The blob that a server sent, with the type from inside it (RFC 4253, section 6.6). Throws WireError. */
export function hostKeyOf(blob: Buffer): HostKey {
  const type = new WireReader(blob).text();
  if (plainTypeOf(type) === null) throw new WireError("the server's host key has an unknown type");
  return { type, blob };
}

const SHORT_NAMES: Readonly<Record<string, string>> = {
  "ssh-ed25519": "ED25519",
  "ssh-rsa": "RSA",
  "ssh-dss": "DSA",
  "sk-ssh-ed25519@openssh.com": "ED25519-SK",
  "sk-ecdsa-sha2-nistp256@openssh.com": "ECDSA-SK",
};

/** The name that ssh's messages use for a key type: `ED25519`, `RSA`, `ECDSA`, ... */
export function shortTypeName(type: string): string {
  const plain = plainTypeOf(type);
  if (plain === null) return type;
  return SHORT_NAMES[plain] ?? "ECDSA";
}
