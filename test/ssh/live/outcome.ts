/** What came of an attempt to run `true` on a host: the same form for `ssh` and for us, so that the two can be compared. */
import type { FailureCode } from "../../../src/contract/record.js";

/** Failure codes that ssh does not distinguish count as one reason. */
export type Reason =
  | "auth"
  | "host-key-unknown"
  | "host-key-changed"
  | "host-key-revoked"
  | "host-key-algorithm"
  | "no-common-algorithm"
  | "protocol"
  | "refused"
  | "timeout"
  | "name"
  | "network"
  | "proxy"
  | "lost"
  | "not-ssh"
  | "config";

export type Outcome =
  | { readonly kind: "reached"; readonly status: number }
  | { readonly kind: "refused"; readonly reason: Reason; readonly message: string };

export const REASON_OF_CODE: Readonly<Record<FailureCode, Reason | null>> = {
  "auth-failed": "auth",
  "no-usable-key": "auth",
  "access-denied": "auth",
  "host-key-unknown": "host-key-unknown",
  "host-key-changed": "host-key-changed",
  "host-key-revoked": "host-key-revoked",
  "host-key-algorithm": "host-key-algorithm",
  "connect-timeout": "timeout",
  "handshake-timeout": "timeout",
  "keepalive-timeout": "timeout",
  "connection-refused": "refused",
  "dns-not-found": "name",
  "network-unreachable": "network",
  "proxy-failed": "proxy",
  "not-ssh": "not-ssh",
  "connection-lost": "lost",
  "internal-error": null,
  "local-limit": null,
  "protocol-error": "protocol",
  "probe-timeout": null,
  "no-tool": null,
  "version-too-old": null,
  removed: null,
};

/** `reached 0`, `refused: auth`. */
export function describeOutcome(outcome: Outcome): string {
  return outcome.kind === "reached" ? `reached ${outcome.status}` : `refused: ${outcome.reason}`;
}
