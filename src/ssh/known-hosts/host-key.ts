/** A server's host key and what known_hosts says of it. Types only. */

export interface HostKey {
  /** `ssh-ed25519`, `ssh-rsa`, ..., or a certificate type, from inside the blob (RFC 4253, section 6.6). */
  readonly type: string;
  readonly blob: Buffer;
}

/** A line of a known_hosts file. */
export interface KnownLine {
  readonly file: string;
  readonly line: number;
}

export type HostKeyVerdict =
  | { readonly kind: "match"; readonly at: KnownLine }
  /** Known and different: `at` is the line that names the host with another key of this type. */
  | { readonly kind: "changed"; readonly at: KnownLine }
  | { readonly kind: "revoked"; readonly at: KnownLine }
  /** No line names the host, or only with keys of other types (`otherTypes`, where ssh says so too). */
  | { readonly kind: "unknown"; readonly otherTypes: readonly KnownLine[] };

/** What known_hosts is asked: the names ssh would look up, already in `[host]:port` form where the port is not 22. */
export interface HostNames {
  /** HostKeyAlias, or the host name with its port. */
  readonly name: string;
  /** The numeric address with its port, when CheckHostIP is on; else null. */
  readonly address: string | null;
}
