/** The verdict on a host key, from the known_hosts lines for its host (sshconnect.c: check_host_key, OpenSSH 9.2). Pure. */
import type { Certificate, PublicKey } from "../keys/public-key.js";
import { certificateProblem } from "./certificate.js";
import type { HostKeyVerdict, HostKeyNames } from "./host-key.js";
import type { KnownKey, Lookup } from "./lookup.js";

type Standing =
  { readonly kind: "same" | "other" | "revoked"; readonly known: KnownKey } | { readonly kind: "new" };

/**
 * A revoked line wins wherever it is: among the lines of the name, of the address, or of the name without its port. In the
 * last two cases ssh warns and may continue; we do not. A certificate that no known authority signed is judged as the
 * plain key in it.
 */
export function judgeHostKey(
  lookup: Lookup,
  names: HostKeyNames,
  key: PublicKey,
  nowSecs: number,
): HostKeyVerdict {
  if (key.certificate === null) return judgePlainKey(lookup, names, key, nowSecs);
  const certified = judgeCertificate(lookup, names, key, key.certificate, nowSecs);
  if (typeof certified === "object" && certified !== null) return certified;
  const plain = { ...key, type: key.plainType, certificate: null };
  const verdict = judgePlainKey(lookup, { ...names, address: null }, plain, nowSecs);
  return verdict.kind === "unknown" && certified !== null
    ? { ...verdict, certificateProblem: certified }
    : verdict;
}

/** A verdict, or why the certificate does not count; null when no authority in known_hosts signed it. */
function judgeCertificate(
  lookup: Lookup,
  names: HostKeyNames,
  key: PublicKey,
  certificate: Certificate,
  nowSecs: number,
): HostKeyVerdict | string | null {
  const lines = lookup(names.name);
  const { identity } = certificate.authority;
  const revoked = lines.find(
    (line) => line.marker === "revoked" && [key.identity, identity].includes(line.key.identity),
  );
  if (revoked !== undefined) return { kind: "revoked", at: revoked.at };
  const authorities = lines.filter((line) => line.marker === "cert-authority");
  const signer = authorities.find((line) => line.key.identity === identity);
  if (signer !== undefined) {
    const problem = certificateProblem(certificate, names.withoutPort?.name ?? names.name, nowSecs);
    return problem ?? { kind: "match", at: signer.at, addressUnknown: false };
  }
  if (authorities.length > 0 || names.withoutPort === null) return null;
  const bare = { ...names, ...names.withoutPort, withoutPort: null };
  return judgeCertificate(lookup, bare, key, certificate, nowSecs);
}

function judgePlainKey(lookup: Lookup, names: HostKeyNames, key: PublicKey, nowSecs: number): HostKeyVerdict {
  const byName = standing(lookup(names.name), key);
  const byAddress = names.address === null ? null : standing(lookup(names.address), key);
  if (byName.kind === "revoked") return { kind: "revoked", at: byName.known.at };
  if (byAddress?.kind === "revoked") return { kind: "revoked", at: byAddress.known.at };
  if (byName.kind === "other") return isChanged(byName.known, null);

  let verdict: HostKeyVerdict = { kind: "unknown" };
  if (byName.kind === "same") {
    verdict = { kind: "match", at: byName.known.at, addressUnknown: byAddress?.kind === "new" };
  } else if (names.withoutPort !== null) {
    const bare = judgePlainKey(lookup, { ...names, ...names.withoutPort, withoutPort: null }, key, nowSecs);
    if (bare.kind === "revoked") return bare;
    // A key for the name without its port can confirm, never refuse: it may be another server of the same machine.
    if (bare.kind === "match") verdict = { ...bare, addressUnknown: false };
  }
  return byAddress?.kind === "other" ? isChanged(byAddress.known, names.address) : verdict;
}

function standing(lines: readonly KnownKey[], key: PublicKey): Standing {
  const revoked = lines.find((line) => line.marker === "revoked" && line.key.identity === key.identity);
  if (revoked !== undefined) return { kind: "revoked", known: revoked };
  const plain = lines.filter((line) => line.marker === "none");
  const same = plain.find((line) => line.key.certificate === null && line.key.identity === key.identity);
  if (same !== undefined) return { kind: "same", known: same };
  // ssh reports the last of the keys that differ.
  const other = plain.at(-1);
  return other === undefined ? { kind: "new" } : { kind: "other", known: other };
}

function isChanged(known: KnownKey, address: string | null): HostKeyVerdict {
  return { kind: "changed", at: known.at, knownType: known.key.type, address };
}
