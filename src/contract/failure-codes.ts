/** States of a host, and the failures that put it into one. */
export const HOST_STATES = [
  "connecting",
  "connected",
  "auth-failed",
  "host-key-rejected",
  "timeout",
  "unreachable",
  "disconnected",
  "unsupported",
] as const;
export type HostState = (typeof HOST_STATES)[number];

/** The state that a failure puts its host in, by failure code. The map is the contract's table. */
export const STATE_OF_CODE = {
  "auth-failed": "auth-failed",
  "no-usable-key": "auth-failed",
  "access-denied": "auth-failed",
  "host-key-unknown": "host-key-rejected",
  "host-key-changed": "host-key-rejected",
  "host-key-revoked": "host-key-rejected",
  "host-key-algorithm": "host-key-rejected",
  "connect-timeout": "timeout",
  "handshake-timeout": "timeout",
  "probe-timeout": "timeout",
  "keepalive-timeout": "timeout",
  "connection-refused": "unreachable",
  "dns-not-found": "unreachable",
  "network-unreachable": "unreachable",
  "proxy-failed": "unreachable",
  "not-ssh": "unreachable",
  "connection-lost": "disconnected",
  "protocol-error": "disconnected",
  "internal-error": "disconnected",
  "local-limit": "disconnected",
  "no-tool": "unsupported",
  "version-too-old": "unsupported",
  /** Not watched any more: the list of hosts was read again (SIGHUP) and does not have it. */
  removed: "disconnected",
} as const satisfies Record<string, HostState>;
export type FailureCode = keyof typeof STATE_OF_CODE;

export type Phase = "resolve" | "dial" | "handshake" | "auth" | "probe" | "sample";

/** Why a host has no reading. `sample-overrun` leaves the host connected: its last sample is still under way. */
export interface LastError {
  readonly code: FailureCode | "sample-overrun";
  readonly phase: Phase;
  readonly message: string;
  /** How to fix it, as a command or a sentence. */
  readonly fix?: string;
  /** Authentication only: what was offered, as `source SHA256:fingerprint result`, never key material. */
  readonly tried?: readonly string[];
  /** The config or known_hosts line that decided, as `file:line`. */
  readonly where?: string;
}
