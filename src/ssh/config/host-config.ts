/**
 * The ssh_config of one host, after every rule of readconf has been applied: the output of `ssh -G host` as a type
 * (ssh_config(5), OpenSSH 9.2). Types only.
 */

/** Where a value was decided: a config line, or a default. */
export type Origin =
  | { readonly kind: "file"; readonly file: string; readonly line: number }
  | { readonly kind: "flag" }
  | { readonly kind: "default" };

/** A ProxyJump hop as written: `[user@]host[:port]` or `ssh://...`. Each hop is resolved through the config itself. */
export interface JumpHop {
  readonly user?: string;
  readonly host: string;
  readonly port?: number;
}

export type Proxy =
  | { readonly kind: "direct" }
  | { readonly kind: "jump"; readonly hops: readonly JumpHop[] }
  /** Tokens expanded; run by /bin/sh as ssh does. */
  | { readonly kind: "command"; readonly command: string };

export interface HostConfig {
  /** As typed. */
  readonly originalHost: string;
  readonly hostname: string;
  readonly port: number;
  readonly user: string;

  readonly addressFamily: "any" | "inet" | "inet6";
  readonly bindAddress: string | null;
  readonly bindInterface: string | null;
  /** Null: ssh's default, no timeout. */
  readonly connectTimeoutSecs: number | null;
  readonly connectionAttempts: number;
  readonly serverAliveIntervalSecs: number;
  readonly serverAliveCountMax: number;
  readonly tcpKeepAlive: boolean;
  readonly compression: boolean;
  readonly proxy: Proxy;

  /** Tilde and tokens expanded, in order; the default files when the config names none (`identityFilesNamed` false). */
  readonly identityFiles: readonly string[];
  readonly identityFilesNamed: boolean;
  readonly certificateFiles: readonly string[];
  readonly identitiesOnly: boolean;
  /** A socket path; null for `none`; SSH_AUTH_SOCK has been resolved. */
  readonly identityAgent: string | null;
  readonly pubkeyAuthentication: boolean;
  readonly gssapiAuthentication: boolean;
  readonly hostbasedAuthentication: boolean;
  readonly preferredAuthentications: string | null;
  readonly pkcs11Provider: string | null;
  readonly securityKeyProvider: string | null;
  /** Algorithm lists as written, with a leading + - or ^ kept; null for the default. */
  readonly pubkeyAcceptedAlgorithms: string | null;
  readonly hostKeyAlgorithms: string | null;
  readonly caSignatureAlgorithms: string | null;
  readonly kexAlgorithms: string | null;
  readonly ciphers: string | null;
  readonly macs: string | null;
  readonly requiredRsaSize: number;

  readonly strictHostKeyChecking: "yes" | "ask" | "accept-new" | "no";
  /** Expanded paths; `none` gives an empty list. */
  readonly userKnownHostsFiles: readonly string[];
  readonly globalKnownHostsFiles: readonly string[];
  readonly hostKeyAlias: string | null;
  readonly hashKnownHosts: boolean;
  readonly checkHostIp: boolean;
  readonly noHostAuthenticationForLocalhost: boolean;
  readonly verifyHostKeyDns: string;
  readonly revokedHostKeys: readonly string[];
  readonly knownHostsCommand: string | null;

  /** The socket of a control master to use if there is one, expanded; absent: ssh would not look for one. */
  readonly controlPath?: string;
  /** ssh would be a control master for this host, or start one (ControlMaster); absent: no. */
  readonly startsMaster?: true;
  /** The ProxyCommand passes an open socket back (ProxyUseFdpass); absent: no. */
  readonly proxyUseFdpass?: true;
  /** A setting for this host that only the installed ssh knows, as `file:line`; absent: there is none. */
  readonly beyondUs?: string;
  /** Session settings that are set in the files and must be overridden for a command of ours. */
  readonly sessionSettings?: readonly string[];

  readonly setEnv: readonly (readonly [string, string])[];
  readonly sendEnv: readonly string[];

  /** Which line decided each keyword (lower case, as `ssh -G` prints it); keywords left at ssh's default are absent. */
  readonly origins: ReadonlyMap<string, Origin>;
}
