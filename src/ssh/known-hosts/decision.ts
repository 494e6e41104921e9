/** What follows from a verdict under a policy: go on, remember the key, or refuse, with the words for the record. */
import type { FailureCode } from "../../contract/record.js";
import type { HostKeyPolicy } from "../../contract/ssh-options.js";
import { fingerprint, shortTypeName, type HostKey } from "../keys/fingerprint.js";
import type { HostKeyVerdict, HostKeyNames, RevokedBy } from "./host-key.js";
import type { KnownHosts } from "./known-hosts.js";

/** For a HostError of the handshake. */
export interface HostKeyRefusal {
  readonly code: FailureCode;
  readonly message: string;
  /** Null: by what takes the key in (`host-key-unknown`) or the old one out (`host-key-changed`). */
  readonly fix: string | null;
  /** The known_hosts file that the fix is about, and the name in it. */
  readonly mend?: { readonly file: string; readonly asked: string };
  /** `file:line`, where a line decided. */
  readonly where?: string;
}

export type HostKeyDecision =
  | { readonly kind: "accept" }
  /** Accept, and hand the key to `KnownHosts.remember`. */
  | { readonly kind: "remember" }
  | { readonly kind: "refuse"; readonly refusal: HostKeyRefusal };

type FileFacts = Pick<KnownHosts, "files" | "canRemember" | "unreadable">;

/**
 * As ssh decides in batch mode, with one exception: a changed or revoked key is refused under `no` too, where ssh
 * goes on with a warning.
 */
export function decide(
  verdict: HostKeyVerdict,
  policy: HostKeyPolicy,
  names: HostKeyNames,
  key: HostKey,
  known: FileFacts,
): HostKeyDecision {
  switch (verdict.kind) {
    case "match":
      return { kind: verdict.addressUnknown && known.canRemember ? "remember" : "accept" };
    case "unknown":
      if (policy !== "yes" && known.canRemember) return { kind: "remember" };
      return {
        kind: "refuse",
        refusal: refuseUnknown(verdict.certificateProblem ?? null, policy, names, key, known),
      };
    case "changed":
      // With `no`, ssh lets the name's key stand against the address's.
      if (policy === "no" && verdict.address !== null) return { kind: "accept" };
      return { kind: "refuse", refusal: refuseChanged(verdict, names, key) };
    case "revoked":
      return { kind: "refuse", refusal: refuseRevoked(verdict.at, names, key) };
    case "revocation-unreadable":
      return { kind: "refuse", refusal: refuseUnchecked(verdict.at, verdict.reason, names) };
  }
}

function refuseUnknown(
  certificateProblem: string | null,
  policy: HostKeyPolicy,
  names: HostKeyNames,
  key: HostKey,
  known: FileFacts,
): HostKeyRefusal {
  const unreadable = known.unreadable().map(({ file, code }) => `; ${file} cannot be read (${code})`);
  const reason = known.canRemember || policy === "yes" ? "" : "; there is no known_hosts file to add it to";
  const certificate = certificateProblem === null ? "" : `; ${certificateProblem}`;
  const file = known.canRemember ? known.files[0] : undefined;
  return {
    code: "host-key-unknown",
    message: `no ${shortTypeName(key.type)} host key is known for ${names.name}; the server has ${fingerprint(key.blob)}${reason}${certificate}${unreadable.join("")}`,
    ...(file === undefined
      ? { fix: "name a known_hosts file with --ssh-known-hosts" }
      : { fix: null, mend: { file, asked: names.name } }),
  };
}

function refuseChanged(
  verdict: Extract<HostKeyVerdict, { kind: "changed" }>,
  names: HostKeyNames,
  key: HostKey,
): HostKeyRefusal {
  const where = place(verdict.at);
  const type = shortTypeName(key.type);
  const asked = verdict.address ?? names.name;
  const owner = verdict.address === null ? names.name : `${names.name}'s address ${verdict.address}`;
  return {
    code: "host-key-changed",
    message: `the host key of ${names.name} has changed: the server has ${type} ${fingerprint(key.blob)}, and ${where} has another key (${shortTypeName(verdict.knownType)}) for ${owner}`,
    fix: null,
    mend: { file: verdict.at.file, asked },
    where,
  };
}

function refuseRevoked(at: RevokedBy, names: HostKeyNames, key: HostKey): HostKeyRefusal {
  const where = place(at);
  return {
    code: "host-key-revoked",
    message: `the ${shortTypeName(key.type)} host key ${fingerprint(key.blob)} of ${names.name} is revoked by ${where}`,
    fix: "give the host a new key; until then it cannot be told from an impostor who has the old one",
    where,
  };
}

function refuseUnchecked(at: RevokedBy, reason: string, names: HostKeyNames): HostKeyRefusal {
  const where = place(at);
  return {
    code: "host-key-revoked",
    message: `whether the host key of ${names.name} is revoked cannot be told: ${where} cannot be read (${reason})`,
    fix: `mend ${at.file} or take it out of RevokedHostKeys`,
    where,
  };
}

function place({ file, line }: RevokedBy): string {
  return line === null ? file : `${file}:${line}`;
}
