/** Signing with a private key that is in memory (RFC 4253, section 6.6; RFC 5656; RFC 8332; RFC 8709). */
import { sign, type KeyObject } from "node:crypto";
import { wireMpint, wireString } from "./wire.js";

const HASHES: Readonly<Record<string, string>> = {
  "ssh-rsa": "sha1",
  "rsa-sha2-256": "sha256",
  "rsa-sha2-512": "sha512",
  "ecdsa-sha2-nistp256": "sha256",
  "ecdsa-sha2-nistp384": "sha384",
  "ecdsa-sha2-nistp521": "sha512",
};

/** The SSH signature blob; `algorithm` is a plain one (no certificate type). Throws when the key does not fit it. */
export function signWithKey(key: KeyObject, algorithm: string, data: Buffer): Buffer {
  if (algorithm === "ssh-ed25519") return signatureBlob(algorithm, sign(null, data, key));
  const hash = HASHES[algorithm];
  if (hash === undefined) throw new Error(`no signature algorithm ${algorithm}`);
  if (!algorithm.startsWith("ecdsa-")) return signatureBlob(algorithm, sign(hash, data, key));
  const pair = sign(hash, data, { key, dsaEncoding: "ieee-p1363" });
  const half = pair.length / 2;
  const body = Buffer.concat([wireMpint(pair.subarray(0, half)), wireMpint(pair.subarray(half))]);
  return signatureBlob(algorithm, body);
}

function signatureBlob(algorithm: string, body: Buffer): Buffer {
  return Buffer.concat([wireString(algorithm), wireString(body)]);
}
