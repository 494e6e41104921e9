/** Host certificates (OpenSSH's PROTOCOL.certkeys; sshkey.c: sshkey_cert_check_host, OpenSSH 9.2). */
import { createPublicKey, verify, type KeyObject } from "node:crypto";
import type { Certificate, PublicKey } from "../keys/public-key.js";
import { WireError, WireReader } from "../keys/wire.js";

const HOST_CERTIFICATE = 2;
const CURVES: Readonly<Record<string, { crv: string; hash: string; bytes: number }>> = {
  "ecdsa-sha2-nistp256": { crv: "P-256", hash: "sha256", bytes: 32 },
  "ecdsa-sha2-nistp384": { crv: "P-384", hash: "sha384", bytes: 48 },
  "ecdsa-sha2-nistp521": { crv: "P-521", hash: "sha512", bytes: 66 },
};

/** Why a certificate is not valid for `host` (a name without its port, or the alias), as ssh words it; null when it is. */
export function certificateProblem(certificate: Certificate, host: string, nowSecs: number): string | null {
  const now = BigInt(Math.floor(nowSecs));
  if (certificate.kind !== HOST_CERTIFICATE) return "Certificate invalid: not a host certificate";
  if (now < certificate.validAfter) return "Certificate invalid: not yet valid";
  if (now >= certificate.validBefore) return "Certificate invalid: expired";
  const { principals } = certificate;
  if (principals.length > 0 && !principals.includes(host)) {
    return "Certificate invalid: name is not a listed principal";
  }
  if (certificate.criticalOptions.length > 0) return "Certificate contains unsupported critical options(s)";
  return isSigned(certificate) ? null : "Certificate invalid: its signature cannot be verified";
}

/** Signatures with SHA-1 are not accepted, as in ssh. Those of security keys are not either: nobody needs them here. */
function isSigned({ authority, authorityBlob, signature, signed }: Certificate): boolean {
  try {
    const reader = new WireReader(signature);
    const algorithm = reader.text();
    const bytes = reader.string();
    switch (authority.plainType) {
      case "ssh-ed25519":
        return algorithm === "ssh-ed25519" && verify(null, signed, keyOf(authority, authorityBlob), bytes);
      case "ssh-rsa": {
        const hash = /^rsa-sha2-(256|512)$/.exec(algorithm)?.[1];
        return hash !== undefined && verify(`sha${hash}`, signed, keyOf(authority, authorityBlob), bytes);
      }
      default: {
        const curve = CURVES[authority.plainType];
        if (curve === undefined || algorithm !== authority.plainType) return false;
        const pair = new WireReader(bytes);
        const numbers = [pair.mpint(), pair.mpint()].map((number) => padded(number, curve.bytes));
        const key = { key: keyOf(authority, authorityBlob), dsaEncoding: "ieee-p1363" } as const;
        return verify(curve.hash, signed, key, Buffer.concat(numbers));
      }
    }
  } catch (error) {
    if (error instanceof WireError) return false;
    throw error;
  }
}

function keyOf(authority: PublicKey, blob: Buffer): KeyObject {
  const reader = new WireReader(blob);
  reader.string();
  const curve = CURVES[authority.plainType];
  if (curve !== undefined) {
    reader.string();
    const point = reader.string();
    const x = point.subarray(1, 1 + curve.bytes).toString("base64url");
    const y = point.subarray(1 + curve.bytes).toString("base64url");
    return createPublicKey({ format: "jwk", key: { kty: "EC", crv: curve.crv, x, y } });
  }
  if (authority.plainType === "ssh-ed25519") {
    const x = reader.string().toString("base64url");
    return createPublicKey({ format: "jwk", key: { kty: "OKP", crv: "Ed25519", x } });
  }
  const e = reader.mpint().toString("base64url");
  const n = reader.mpint().toString("base64url");
  return createPublicKey({ format: "jwk", key: { kty: "RSA", e, n } });
}

function padded(number: Buffer, bytes: number): Buffer {
  if (number.length > bytes) throw new WireError("signature too long");
  return Buffer.concat([Buffer.alloc(bytes - number.length), number]);
}
