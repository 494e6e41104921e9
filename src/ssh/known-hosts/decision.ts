/** What follows from a verdict under a policy: go on, remember the key, or refuse, with the words for the record. */
import type { FailureCode } from "../../record.js";
import type { HostKeyPolicy } from "../ssh-options.js";
import { fingerprint, shortTypeName } from "./fingerprint.js";
import type { HostKey, HostKeyVerdict, HostNames, RevokedBy } from "./host-key.js";
import type { KnownHosts } from "./known-hosts.js";

/** For a HostError of the handshake. */
export interface HostKeyRefusal {
  readonly code: FailureCode;
  readonly message: string;
  readonly fix: string;
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
  names: HostNames,
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
  names: HostNames,
  key: HostKey,
  known: FileFacts,
): HostKeyRefusal {
  const unreadable = known.unreadable().map(({ file, code }) => `; ${file} cannot be read (${code})`);
  const reason = known.canRemember || policy === "yes" ? "" : "; there is no known_hosts file to add it to";
  const certificate = certificateProblem === null ? "" : `; ${certificateProblem}`;
  const file = known.files[0];
  return {
    code: "host-key-unknown",
    message: `no ${shortTypeName(key.type)} host key is known for ${names.name}; the server has ${fingerprint(key.blob)}${reason}${certificate}${unreadable.join("")}`,
    fix:
      file === undefined || !known.canRemember
        ? "name a known_hosts file with --ssh-known-hosts"
        : `compare the fingerprint with the host's, then run: ${keyscan(names, file)}; or use --ssh-strict-host-key accept-new`,
  };
}

function keyscan(names: HostNames, file: string): string {
  const scan = `ssh-keyscan${names.port === 22 ? "" : ` -p ${names.port}`} ${quote(names.host)}`;
  const aliased = names.withoutPort === null && names.name !== names.host;
  const rename = aliased ? ` | sed ${quote(`s/^[^ #]*/${names.name}/`)}` : "";
  return `${scan}${rename} >> ${quote(file)}`;
}

function refuseChanged(
  verdict: Extract<HostKeyVerdict, { kind: "changed" }>,
  names: HostNames,
  key: HostKey,
): HostKeyRefusal {
  const where = place(verdict.at);
  const type = shortTypeName(key.type);
  const asked = verdict.address ?? names.name;
  const owner = verdict.address === null ? names.name : `${names.name}'s address ${verdict.address}`;
  return {
    code: "host-key-changed",
    message: `the host key of ${names.name} has changed: the server has ${type} ${fingerprint(key.blob)}, and ${where} has another key (${shortTypeName(verdict.knownType)}) for ${owner}`,
    fix: `if the change is expected: ssh-keygen -R ${quote(asked)} -f ${quote(verdict.at.file)}`,
    where,
  };
}

function refuseRevoked(at: RevokedBy, names: HostNames, key: HostKey): HostKeyRefusal {
  const where = place(at);
  return {
    code: "host-key-revoked",
    message: `the ${shortTypeName(key.type)} host key ${fingerprint(key.blob)} of ${names.name} is revoked by ${where}`,
    fix: "give the host a new key; until then it cannot be told from an impostor who has the old one",
    where,
  };
}

function refuseUnchecked(at: RevokedBy, reason: string, names: HostNames): HostKeyRefusal {
  const where = place(at);
  return {
    code: "host-key-revoked",
    message: `whether the host key of ${names.name} is revoked cannot be told: ${where} cannot be read (${reason})`,
    fix: `mend ${quote(at.file)} or take it out of RevokedHostKeys`,
    where,
  };
}

function place({ file, line }: RevokedBy): string {
  return line === null ? file : `${file}:${line}`;
}

/** For a POSIX shell; a plain word stays as it is. */
function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
