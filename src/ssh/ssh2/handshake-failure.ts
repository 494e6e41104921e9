/** Failed handshakes, from ssh2's errors and closed sockets, as failures of a host. */
import { HostError } from "../../contract/errors.js";
import { systemErrorCode } from "../../contract/local-limit.js";
import type { Phase } from "../../contract/record.js";
import { oneLine } from "../../lib/text.js";
import { ACCESS_DENIED_FIX, NAME_A_KEY, type ServerReply } from "../auth/login-refusal.js";
import type { AuthProgress } from "../auth/userauth.js";
import { systemFailure } from "../dial/system-failure.js";
import { planLabel, type HostPlan } from "../plan/plan.js";

export interface HandshakeProgress {
  readonly phase: Extract<Phase, "handshake" | "auth">;
  /** Null: not begun. */
  readonly auth: AuthProgress | null;
  readonly reply: ServerReply;
}

/** `error` is what ssh2 emitted; null when the stream merely ended. */
export function handshakeFailure(plan: HostPlan, error: unknown, progress: HandshakeProgress): HostError {
  if (error instanceof HostError) return error;
  const { phase, auth } = progress;
  const tried = auth?.tried ?? [];
  const name = planLabel(plan);
  const more = tried.length === 0 ? {} : { tried };
  const refusal = phase === "auth" && auth !== null ? hungUp(name, error, auth, progress.reply) : null;
  if (refusal !== null) return refusal;
  if (systemErrorCode(error) !== null) {
    const failure = systemFailure(error, plan, phase);
    return new HostError(failure.failure.code, phase, failure.message, more);
  }
  const text = error instanceof Error ? oneLine(error.message) : "";
  const missing = /^Handshake failed: no matching (.+)$/.exec(text)?.[1];
  if (missing !== undefined) {
    const code = missing === "host key format" ? "host-key-algorithm" : "protocol-error";
    const message = `${name}: no matching ${missing}: the built-in client and the server have none in common`;
    return new HostError(code, "handshake", message, {
      fix: "install OpenSSH's ssh, which knows more algorithms",
    });
  }
  if (error === null || /^Connection lost/.test(text)) {
    const during = phase === "auth" ? "during authentication" : "during the key exchange";
    return new HostError(
      "connection-lost",
      phase,
      `${name}: the server closed the connection ${during}`,
      more,
    );
  }
  // The error of a disconnect message has a number as its code; all others are ssh2's errors about bad bytes.
  const disconnected = typeof error === "object" && typeof Reflect.get(error, "code") === "number";
  if (disconnected)
    return new HostError("connection-lost", phase, `${name}: the server hung up: "${text}"`, more);
  return new HostError("protocol-error", phase, `${name}: ${text === "" ? "unknown error" : text}`, more);
}

const NO_MORE_METHODS = 14;
const DENIAL = /\bdenied\b|\bnot (allowed|permitted|authori[sz]ed)\b|\bdoes not permit\b/i;

/** The failure when the server hung up as its answer to an authentication request; null when it was no answer. */
function hungUp(name: string, error: unknown, auth: AuthProgress, server: ServerReply): HostError | null {
  const { tried, refused, proof } = auth;
  const text = error instanceof Error ? oneLine(error.message) : "";
  const disconnected =
    typeof error === "object" && error !== null && typeof Reflect.get(error, "code") === "number";
  if (disconnected && /authentication|auth tries/i.test(text))
    return new HostError("auth-failed", "auth", `${name}: the server hung up: "${text}"`, {
      tried,
      fix: NAME_A_KEY,
    });
  const code = systemErrorCode(error);
  const isEnd =
    error === null ||
    disconnected ||
    /^Connection lost/.test(text) ||
    code === "ECONNRESET" ||
    code === "EPIPE";
  if (!isEnd) return null;
  const reason = oneLine([server.lastWords, disconnected ? text : ""].join("\n"));
  // sshd answers when it refuses a key. When it hangs up instead, it accepts the key and refuses the account.
  const wasGood = proof === "accepted" || (proof === "sent" && (server.isSshd || reason !== ""));
  if (wasGood) {
    const why = reason === "" ? "it hung up without a reason" : `"${reason}"`;
    const message = `${name}: the server took our key and refused the login: ${why}`;
    return new HostError("access-denied", "auth", message, { tried, fix: ACCESS_DENIED_FIX });
  }
  // Some send the reason with the disconnect (RFC 4250, section 4.2.2: 14 is "no more auth methods available").
  const all = oneLine([server.banner, disconnected ? text : ""].join("\n"));
  const isDenial = disconnected && (Reflect.get(error, "code") === NO_MORE_METHODS || DENIAL.test(all));
  if (isDenial)
    return new HostError("auth-failed", "auth", `${name}: the server hung up: "${all}"`, { tried });
  if (refused === 0) return null;
  const message = `${name}: the server hung up after it refused ${refused === 1 ? "a key" : `${refused} keys`} of ours`;
  return new HostError("auth-failed", "auth", message, { tried, fix: NAME_A_KEY });
}
