/** Made-up host keys: only their bytes matter here, nobody signs with them. */
import { createHash } from "node:crypto";
import type { HostKey } from "../../../src/ssh/keys/fingerprint.js";
import { type HostKeyNames, hostNames } from "../../../src/ssh/known-hosts/host-key.js";

/** An ed25519 key blob, another one for each seed. */
export function testKey(seed: number | string): HostKey {
  const type = "ssh-ed25519";
  const point = createHash("sha256").update(`key ${seed}`).digest();
  return { type, blob: Buffer.concat([lengthOf(type.length), Buffer.from(type), lengthOf(32), point]) };
}

/** What is asked for a host on port 22 without CheckHostIP. */
export function namesOf(hostname: string, port = 22): HostKeyNames {
  return hostNames({ hostname, port, hostKeyAlias: null, checkHostIp: false, address: null });
}

function lengthOf(length: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(length);
  return bytes;
}
