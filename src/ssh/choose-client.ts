/** Which client a host is reached by: ssh2, unless the host needs what only the system's `ssh` can do. */
import { existsSync } from "node:fs";
import type { Connection } from "../contract/connection.js";
import { HostError } from "../contract/errors.js";
import type { SshClientChoice } from "../contract/ssh-options.js";
import type { HostConfig } from "./config/host-config.js";
import type { KnownLine } from "./known-hosts/host-key.js";
import { OpensshMissing } from "./openssh/process.js";
import type { AlgorithmOffer } from "./ssh2/algorithms.js";

type ConfigNeeds = Pick<
  HostConfig,
  | "knownHostsCommand"
  | "pkcs11Provider"
  | "verifyHostKeyDns"
  | "preferredAuthentications"
  | "proxyUseFdpass"
  | "beyondUs"
>;
type AuthConfig = Pick<HostConfig, "gssapiAuthentication" | "hostbasedAuthentication">;

/** What the choice depends on before anything is connected. */
export interface ClientNeeds {
  readonly config: ConfigNeeds;
  readonly offer: AlgorithmOffer;
  /** The @cert-authority line that covers the host. */
  readonly authority: KnownLine | null;
}

/** Why the system's `ssh` is needed, by config and known_hosts; null when ssh2 is enough. Pure. */
export function opensshNeeded({ config, offer, authority }: ClientNeeds): string | null {
  if (authority !== null) return `host certificates (@cert-authority, ${authority.file}:${authority.line})`;
  if (offer.kind === "cannot") return `${offer.keyword} ${offer.list}`;
  if (config.knownHostsCommand !== null) return "KnownHostsCommand";
  if (config.proxyUseFdpass === true) return "ProxyUseFdpass";
  if (config.beyondUs !== undefined) return `a setting that only the installed ssh knows, ${config.beyondUs}`;
  if (config.pkcs11Provider !== null) return "PKCS11Provider";
  if (!/^(no|false)$/i.test(config.verifyHostKeyDns)) return "VerifyHostKeyDNS";
  const methods = config.preferredAuthentications?.split(",");
  if (methods !== undefined && !methods.includes("publickey"))
    return `PreferredAuthentications ${methods.join(",")}`;
  return null;
}

/**
 * Why `ssh` may succeed where ssh2 has just failed, by the server's answer; null when it would fail for the same reason.
 * `hasTicket`: a Kerberos credential cache exists.
 */
export function opensshMayHelp(
  config: AuthConfig,
  error: HostError,
  hasTicket: () => boolean = hasKerberosTicket,
): string | null {
  const { code, message, tried = [] } = error.failure;
  if (nothingInCommon(error)) return "the server has no algorithm in common with ssh2";
  if (code === "proxy-failed" && nothingInCommon(error.cause)) {
    return "the jump host has no algorithm in common with ssh2";
  }
  if (code !== "auth-failed" && code !== "no-usable-key") return null;
  const answer = [message, ...tried].join("\n");
  if (/refused to sign/.test(answer)) return "agent keys that are constrained to destinations";
  if (/security key|\bsk-(ssh|ecdsa)/.test(answer)) return "security keys (FIDO)";
  if (config.gssapiAuthentication && /gssapi/.test(answer) && hasTicket()) return "GSSAPIAuthentication";
  if (config.hostbasedAuthentication && /hostbased/.test(answer)) return "HostbasedAuthentication";
  return null;
}

/** The two sides have no algorithm in common (handshake-failure.ts), unlike with a bad host key or bad bytes. */
function nothingInCommon(error: unknown): boolean {
  if (!(error instanceof HostError) || error.failure.phase !== "handshake") return false;
  const { code, message } = error.failure;
  return (code === "host-key-algorithm" || code === "protocol-error") && /none in common/.test(message);
}

function hasKerberosTicket(): boolean {
  const named = process.env["KRB5CCNAME"];
  // Other kinds of cache (KEYRING:, KCM:, DIR:) cannot be checked from here.
  if (named !== undefined && named !== "")
    return named.startsWith("/") || named.startsWith("FILE:")
      ? existsSync(named.replace(/^FILE:/, ""))
      : true;
  return existsSync(`/tmp/krb5cc_${process.getuid?.() ?? 0}`);
}

/** ssh2's failure, with the advice to install `ssh`, which is missing and might succeed. */
function withAdvice(error: HostError, remedy: string): HostError {
  const { code, phase, message, ...more } = error.failure;
  const fix = `install OpenSSH's client (openssh-client) for ${remedy}`;
  return new HostError(code, phase, `${message}; the system's ssh might do it and is not on PATH`, {
    ...more,
    fix,
  });
}

/** The two clients; `why` is the reason for the system's `ssh`, for its messages. */
export interface Clients {
  ssh2(signal: AbortSignal): Promise<Connection>;
  openssh(why: string, signal: AbortSignal): Promise<Connection>;
}

/** One host's choice, which remembers what the server's answers showed. */
export class ClientChooser {
  #learned: string | null = null;

  constructor(
    private readonly choice: SshClientChoice,
    private readonly config: AuthConfig,
  ) {}

  /**
   * Connects by ssh2; by the system's `ssh` where `needed` is a reason for it, and after ssh2 has failed where `ssh` may
   * succeed: then the next attempts begin with it. Throws HostError, or the signal's reason.
   */
  async connect(needed: string | null, clients: Clients, signal: AbortSignal): Promise<Connection> {
    if (this.choice === "ssh2") return clients.ssh2(signal);
    const why = this.choice === "openssh" ? "--ssh-client openssh" : (needed ?? this.#learned);
    if (why !== null) return clients.openssh(why, signal);
    try {
      return await clients.ssh2(signal);
    } catch (error) {
      const remedy = error instanceof HostError ? opensshMayHelp(this.config, error) : null;
      if (remedy === null) throw error;
      const connection = await clients.openssh(remedy, signal).catch((second: unknown) => {
        throw second instanceof OpensshMissing && error instanceof HostError
          ? withAdvice(error, remedy)
          : second;
      });
      this.#learned = remedy;
      return connection;
    }
  }
}
