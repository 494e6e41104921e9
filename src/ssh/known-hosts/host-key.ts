/** What known_hosts says of a server's host key. Types only. */

/** A line of a known_hosts file. */
export interface KnownLine {
  readonly file: string;
  readonly line: number;
}

/** What revoked a key: a line of a text file, or a binary KRL, which has no lines (`line` null). */
export interface RevokedBy {
  readonly file: string;
  readonly line: number | null;
}

export type HostKeyVerdict =
  /**
   * `addressUnknown`: CheckHostIP is on and no line names the address; ssh then adds it to the first user file,
   * whatever the policy.
   */
  | { readonly kind: "match"; readonly at: KnownLine; readonly addressUnknown: boolean }
  /**
   * Known and different: `at` names the host with another key, of whatever type, as in ssh. `knownType` is that
   * key's type. `address` is set when it is the host's address, not its name, that `at` names (CheckHostIP).
   */
  | {
      readonly kind: "changed";
      readonly at: KnownLine;
      readonly knownType: string;
      readonly address: string | null;
    }
  | { readonly kind: "revoked"; readonly at: RevokedBy }
  /** A RevokedHostKeys file is missing or broken: ssh accepts no host key then. */
  | { readonly kind: "revocation-unreadable"; readonly at: RevokedBy; readonly reason: string }
  /** No line names the host with a key. `certificateProblem`: why a certificate by a known authority did not count. */
  | { readonly kind: "unknown"; readonly certificateProblem?: string };

/** What known_hosts is asked, in lower case, and in `[host]:port` form where the port is not 22. See `hostNames`. */
export interface HostKeyNames {
  /** HostKeyAlias, or the host name with its port. */
  readonly name: string;
  /** The numeric address with its port, when CheckHostIP applies; else null. */
  readonly address: string | null;
  /** The name and address without their port, asked when `name` is unknown; null on port 22 and with an alias. */
  readonly withoutPort: { readonly name: string; readonly address: string | null } | null;
  /** What is dialled: for messages, and for the principals of host certificates. */
  readonly host: string;
  readonly port: number;
}
