/** What follows from a verdict under a policy: accept, remember the key, or refuse, with the message for the record. */
import type { FailureCode } from "../../contract/record.js";
import type { HostKeyPolicy } from "../../contract/ssh-options.js";
import { fingerprint, shortTypeName, type HostKey } from "../keys/fingerprint.js";
import type { HostKeyVerdict, HostKeyNames, RevokedBy } from "./host-key.js";
import type { KnownHosts } from "./known-hosts.js";

/** The parts of a HostError of the handshake. */
export interface HostKeyRefusal {
  readonly code: FailureCode;
  readonly message: string;
  /** Null: a command that adds the key (`host-key-unknown`) or removes the old one (`host-key-changed`). */
  readonly fix: string | null;
  /** The known_hosts file to fix, and the name in it; for a `fix` of null. */
  readonly fixAt?: { readonly file: string; readonly asked: string };
  /** `file:line` of the line that decided, where there is one. */
  readonly where?: string;
}

export type HostKeyDecision =
  | { readonly kind: "accept" }
  /** Accept, and hand the key to `KnownHosts.remember`. */
  | { readonly kind: "remember" }
  | { readonly kind: "refuse"; readonly refusal: HostKeyRefusal };

type FileFacts = Pick<KnownHosts, "files" | "canRemember" | "unreadable">;

/**
 * As ssh in batch mode, with one exception: a changed or revoked key is refused under `no` too, where ssh continues
 * with a warning.
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
      // With `no`, ssh accepts the name's key although the address has another one.
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
      : { fix: null, fixAt: { file, asked: names.name } }),
  };
}

function refuseChanged(
  verdict: Extract<HostKeyVerdict, { kind: "changed" }>,
  names: HostKeyNames,
  key: HostKey,
): HostKeyRefusal {
  const where = locationOf(verdict.at);
  const type = shortTypeName(key.type);
  const searched = verdict.address ?? names.name;
  const owner = verdict.address === null ? names.name : `${names.name}'s address ${verdict.address}`;
  return {
    code: "host-key-changed",
    message: `the host key of ${names.name} has changed: the server has ${type} ${fingerprint(key.blob)}, and ${where} has another key (${shortTypeName(verdict.knownType)}) for ${owner}`,
    fix: null,
    fixAt: { file: verdict.at.file, asked: searched },
    where,
  };
}

function refuseRevoked(at: RevokedBy, names: HostKeyNames, key: HostKey): HostKeyRefusal {
  const where = locationOf(at);
  return {
    code: "host-key-revoked",
    message: `the ${shortTypeName(key.type)} host key ${fingerprint(key.blob)} of ${names.name} is revoked by ${where}`,
    fix: "give the host a new key; until then it cannot be distinguished from an impostor who has the old one",
    where,
  };
}

function refuseUnchecked(at: RevokedBy, reason: string, names: HostKeyNames): HostKeyRefusal {
  const where = locationOf(at);
  return {
    code: "host-key-revoked",
    message: `whether the host key of ${names.name} is revoked is not known: ${where} cannot be read (${reason})`,
    fix: `fix ${at.file} or remove it from RevokedHostKeys`,
    where,
  };
}

function locationOf({ file, line }: RevokedBy): string {
  return line === null ? file : `${file}:${line}`;
}
