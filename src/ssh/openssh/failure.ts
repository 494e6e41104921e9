/** Why the system's `ssh` failed, from its own messages (OpenSSH 7 to 10). Pure. */
import { HostError } from "../../contract/errors.js";
import type { FailureCode, LastError, Phase } from "../../contract/record.js";
import { oneLine } from "../../lib/text.js";
import { ACCESS_DENIED_FIX, NAME_A_KEY } from "../auth/login-refusal.js";
import { opensshFix, type OpensshHost } from "./fix.js";
import type { OpensshLog, OpensshStage } from "./log.js";

interface Cause {
  readonly code: FailureCode;
  readonly phase: Phase;
}

// The first match over all complaints wins; the order is from the most to the least certain.
const CAUSES: readonly (readonly [RegExp, Cause])[] = [
  // Limits of this machine that ssh ran into; the same message from a jump host begins with "channel".
  [
    /^(?:ssh: )?(?:socket|socketpair|pipe|fork|dup2?|open|poll|select|[Cc]ould not (?:create|fork|dup)|[Cc]ouldn't \w+)\b[^\n:]*: (?:Too many open files|Resource temporarily unavailable|Cannot allocate memory)/m,
    { code: "local-limit", phase: "dial" },
  ],
  [
    /REVOKED HOST KEY DETECTED|revoked by file|was revoked and you have|Error checking host key .* in revoked/,
    { code: "host-key-revoked", phase: "handshake" },
  ],
  [
    /REMOTE HOST IDENTIFICATION HAS CHANGED|has changed and you have requested strict/,
    { code: "host-key-changed", phase: "handshake" },
  ],
  [/host key is known for|Host key verification failed/, { code: "host-key-unknown", phase: "handshake" }],
  [/no matching host key type found|Bad server host key/, { code: "host-key-algorithm", phase: "handshake" }],
  [/Unable to negotiate|no matching .* found/, { code: "protocol-error", phase: "handshake" }],
  [
    /Permission denied \(|Too many authentication failures|no authentication methods enabled/,
    { code: "auth-failed", phase: "auth" },
  ],
  [
    /Could not resolve hostname|[Nn]ame or service not known|Temporary failure in name/,
    { code: "dns-not-found", phase: "resolve" },
  ],
  [/during banner exchange|banner exchange: .*timed out/, { code: "handshake-timeout", phase: "handshake" }],
  [/Connection refused/, { code: "connection-refused", phase: "dial" }],
  [/(Connection|Operation) timed out/, { code: "connect-timeout", phase: "dial" }],
  [
    /No route to host|Network is (unreachable|down)|Host is (unreachable|down)|Cannot assign requested address|bind: |getaddrinfo/,
    { code: "network-unreachable", phase: "dial" },
  ],
  [/Timeout, server .* not responding/, { code: "keepalive-timeout", phase: "sample" }],
  [
    /banner line contains invalid characters|Protocol major versions differ|protocol version \d|No banner received|No SSH version received/i,
    { code: "not-ssh", phase: "handshake" },
  ],
  [
    /Connection (closed|reset)|closed by remote host|Broken pipe|Received disconnect|Disconnected from|send disconnect/,
    { code: "connection-lost", phase: "handshake" },
  ],
];

const PHASE_OF_STAGE: Record<OpensshStage, Phase> = {
  start: "resolve",
  dial: "dial",
  proxy: "dial",
  banner: "handshake",
  handshake: "handshake",
  auth: "auth",
  open: "sample",
};

// Our own ssh's messages about the end of its proxy, which follow the proxy's own reason.
const PROXY_ECHO =
  /^(kex_exchange_identification|banner exchange|ssh_exchange_identification|Connection closed by UNKNOWN|Connection reset by UNKNOWN)/;

/** The failure of an `ssh` process that ended without (or after) reaching `open`. */
export function opensshFailure(log: OpensshLog, host: OpensshHost): HostError {
  const text = log.complaints.join("\n");
  if (log.stage === "proxy") return proxyFailure(log, host.via);
  const found = causeOf(text);
  const phase = PHASE_OF_STAGE[log.stage];
  if (found?.code === "connection-lost" && log.preBanner !== null && !DROPPED.test(log.preBanner)) {
    return new HostError(
      "not-ssh",
      "handshake",
      `the server is not SSH: it sent "${oneLine(log.preBanner, 80)}"`,
    );
  }
  const cause = found ?? { code: log.stage === "open" ? "connection-lost" : "protocol-error", phase };
  const reason = [...(log.preBanner === null ? [] : [log.preBanner]), ...summary(log.complaints)].join("\n");
  const message = reason === "" ? "ssh ended without a message" : oneLine(reason);
  if (cause.code === "connection-lost" && log.stage === "auth") {
    const refusal = hungUp(log, message);
    if (refusal !== null) return refusal;
  }
  const code = cause.code === "auth-failed" && log.tried.length === 0 ? "no-usable-key" : cause.code;
  const fix = opensshFix(code, log, host);
  const where = whereOf(text);
  const more: Partial<LastError> = {
    ...(where === null ? {} : { where }),
    ...(fix === null ? {} : { fix }),
    ...(cause.phase === "auth" ? { tried: [...log.tried, ...skippedKeys(log.complaints)] } : {}),
  };
  if (code === "no-usable-key") return new HostError(code, "auth", `no key to offer: ${message}`, more);
  const lost = code === "connection-lost";
  return new HostError(code, lost ? phase : cause.phase, hostKeyed(log, code, message), more);
}

/** sshd's messages to connections that it drops before the banner. */
const DROPPED = /MaxStartups|Not allowed at this time/;

function causeOf(text: string): Cause | undefined {
  return CAUSES.find(([pattern]) => pattern.test(text))?.[1];
}

// The frame of ssh's warnings, and the lines that skippedKeys reads.
const UNINFORMATIVE =
  /^(@+$|@ |IT IS POSSIBLE|Someone could|It is also|Please contact|Add correct|It is required|This private key will|no such identity: |Load key |load pubkey |Permissions \d| +remove with:| +ssh-keygen )/;

/** The last four lines that give a reason. */
function summary(complaints: readonly string[]): readonly string[] {
  return complaints.filter((line) => !UNINFORMATIVE.test(line)).slice(-4);
}

/** Key files that ssh could not use, as `FILE skipped: reason`. */
function skippedKeys(complaints: readonly string[]): string[] {
  return complaints.flatMap((line) => {
    const missing = /^no such identity: (.+): No such file or directory$/.exec(line)?.[1];
    if (missing !== undefined) return [`${missing} skipped: no such file`];
    const [, file, reason] = /^[Ll]oad (?:key|pubkey) "(.+)": (.+)$/.exec(line) ?? [];
    if (file !== undefined && reason !== undefined) return [`${file} skipped: ${oneLine(reason)}`];
    const [, mode, open] = /^Permissions (\d+) for '(.+)' are too open/.exec(line) ?? [];
    return open === undefined || mode === undefined
      ? []
      : [`${open} skipped: mode ${mode} is too open: chmod 600`];
  });
}

function whereOf(text: string): string | null {
  const offending = /^Offending (?:\S+ )?key (?:for IP )?in (.+:\d+)$/m.exec(text)?.[1];
  return offending ?? /revoked by file (\S+)/.exec(text)?.[1] ?? null;
}

function hostKeyed(log: OpensshLog, code: FailureCode, message: string): string {
  return code.startsWith("host-key-") && log.hostKey !== null
    ? `${message} (server key ${log.hostKey})`
    : message;
}

/** The failure when the server hung up as its answer to a key; null when it was no answer. */
function hungUp(log: OpensshLog, message: string): HostError | null {
  const { tried } = log;
  // ssh asks first whether a key would be accepted. A server that agreed and hung up refuses the account, not the key.
  if (tried.at(-1)?.endsWith(" accepted") === true) {
    const refused = `the server took our key and refused the login: ${message}`;
    return new HostError("access-denied", "auth", refused, { tried, fix: ACCESS_DENIED_FIX });
  }
  if (tried.length < 2) return null;
  const refused = `the server hung up after it refused keys of ours: ${message}`;
  return new HostError("auth-failed", "auth", refused, { tried, fix: NAME_A_KEY });
}

/** A failed proxy or jump host: its own messages are the reason. A failure of the host itself, reported by it, keeps its code. */
function proxyFailure(log: OpensshLog, via: string | null): HostError {
  const own = log.complaints.filter((line) => !PROXY_ECHO.test(line));
  const name = via === null ? "the proxy command" : `jump host ${via}`;
  const refused = own.find((line) => /open failed: connect failed: /.test(line));
  const cause = refused === undefined ? undefined : causeOf(refused);
  const reason = oneLine(summary(own).join("\n"));
  const message = `${name} failed: ${reason === "" ? "it ended without a message" : reason}`;
  if (cause !== undefined) return new HostError(cause.code, cause.phase, message);
  return new HostError("proxy-failed", "dial", message);
}
