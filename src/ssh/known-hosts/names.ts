import type { HostKeyNames } from "./host-key.js";

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
  const address = askedAddress(host, hostname);
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

function askedAddress(host: NamedHost, hostname: string): string | null {
  if (!host.checkHostIp || host.address === null || isLoopback(host.address)) return null;
  return host.port === 22 && host.address === hostname ? null : host.address;
}

function isLoopback(address: string): boolean {
  return address.startsWith("127.") || address === "::1";
}
