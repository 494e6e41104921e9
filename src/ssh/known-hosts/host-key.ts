/** What known_hosts is asked about a server's host key, and what it answers. */

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
   * `addressUnknown`: CheckHostIP is on and no line is for the address; ssh then adds it to the first user file,
   * whatever the policy.
   */
  | { readonly kind: "match"; readonly at: KnownLine; readonly addressUnknown: boolean }
  /**
   * Known and different: the line `at` has another key for the host, of whatever type, as in ssh. `knownType` is that
   * key's type. `address` is set when the line is for the host's address and not its name (CheckHostIP).
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
  /** No line has a key for the host. `certificateProblem`: why a certificate by a known authority did not count. */
  | { readonly kind: "unknown"; readonly certificateProblem?: string };

/** The names that known_hosts is searched for, in lower case, and in `[host]:port` form where the port is not 22. See `hostNames`. */
export interface HostKeyNames {
  /** HostKeyAlias, or the host name with its port. */
  readonly name: string;
  /** The numeric address with its port, when CheckHostIP applies; else null. */
  readonly address: string | null;
  /** The name and address without their port, searched for when `name` is unknown; null on port 22 and with an alias. */
  readonly withoutPort: { readonly name: string; readonly address: string | null } | null;
  /** The host that is dialled: for messages, and for the principals of host certificates. */
  readonly host: string;
  readonly port: number;
}

export interface NamedHost {
  /** HostName as resolved. */
  readonly hostname: string;
  readonly port: number;
  readonly hostKeyAlias: string | null;
  readonly checkHostIp: boolean;
  /** The numeric address of the socket's peer; null behind a jump host or a ProxyCommand. */
  readonly address: string | null;
}

/** The names that ssh looks up for a host (sshconnect.c: get_hostfile_hostname_ipaddr, check_host_key). */
export function hostNames(host: NamedHost): HostKeyNames {
  const hostname = host.hostname.toLowerCase();
  const alias = host.hostKeyAlias?.toLowerCase() ?? null;
  const name = alias ?? withPort(hostname, host.port);
  const address = addressToCheck(host, hostname);
  const ported = address === null ? null : withPort(address, host.port);
  const bare = alias === null && host.port !== 22;
  return {
    name,
    address: ported === name ? null : ported,
    withoutPort: bare ? { name: hostname, address: address === hostname ? null : address } : null,
    host: hostname,
    port: host.port,
  };
}

/** `host` on port 22, `[host]:port` elsewhere (misc.c: put_host_port). */
function withPort(host: string, port: number): string {
  return port === 22 ? host : `[${host}]:${port}`;
}

function addressToCheck(host: NamedHost, hostname: string): string | null {
  if (!host.checkHostIp || host.address === null || isLoopback(host.address)) return null;
  return host.port === 22 && host.address === hostname ? null : host.address;
}

function isLoopback(address: string): boolean {
  return address.startsWith("127.") || address === "::1";
}
