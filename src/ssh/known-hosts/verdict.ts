/** What the lines that name a host say of a key (sshconnect.c: check_host_key, OpenSSH 9.2). Pure. */
import type { HostKeyVerdict, HostNames } from "./host-key.js";
import type { KnownKey, Lookup } from "./lookup.js";
import type { PublicKey } from "./public-key.js";

type Standing =
  { readonly kind: "same" | "other" | "revoked"; readonly known: KnownKey } | { readonly kind: "new" };

/**
 * The verdict on a host key. A revoked line wins wherever it stands: among the lines of the name, of the address,
 * and of the name without its port. In the last two places ssh warns and may go on; we do not.
 */
export function judgeHostKey(lookup: Lookup, names: HostNames, key: PublicKey): HostKeyVerdict {
  const byName = standing(lookup(names.name), key);
  const byAddress = names.address === null ? null : standing(lookup(names.address), key);
  if (byName.kind === "revoked") return { kind: "revoked", at: byName.known.at };
  if (byAddress?.kind === "revoked") return { kind: "revoked", at: byAddress.known.at };
  if (byName.kind === "other") return changed(byName.known, null);

  let verdict: HostKeyVerdict = { kind: "unknown" };
  if (byName.kind === "same") {
    verdict = { kind: "match", at: byName.known.at, addressUnknown: byAddress?.kind === "new" };
  } else if (names.withoutPort !== null) {
    const bare = judgeHostKey(lookup, { ...names, ...names.withoutPort, withoutPort: null }, key);
    if (bare.kind === "revoked") return bare;
    // The name without its port vouches but never condemns: it may be another server of the same machine.
    if (bare.kind === "match") verdict = { ...bare, addressUnknown: false };
  }
  return byAddress?.kind === "other" ? changed(byAddress.known, names.address) : verdict;
}

function standing(lines: readonly KnownKey[], key: PublicKey): Standing {
  const revoked = lines.find((line) => line.marker === "revoked" && line.key.identity === key.identity);
  if (revoked !== undefined) return { kind: "revoked", known: revoked };
  const plain = lines.filter((line) => line.marker === "none");
  const same = plain.find((line) => line.key.certificate === null && line.key.identity === key.identity);
  if (same !== undefined) return { kind: "same", known: same };
  // ssh names the last of the keys that differ.
  const other = plain.at(-1);
  return other === undefined ? { kind: "new" } : { kind: "other", known: other };
}

function changed(known: KnownKey, address: string | null): HostKeyVerdict {
  return { kind: "changed", at: known.at, knownType: known.key.type, address };
}
