/** What ssh2 and a closed socket say of a handshake that failed, as failures of a host. */
import { HostError } from "../errors.js";
import { oneLine } from "../lib/text.js";
import type { Phase } from "../record.js";
import type { Candidates } from "./auth/identity.js";
import type { Refusal } from "./auth/userauth.js";
import { planLabel } from "./plan.js";
import type { HostPlan } from "./plan.js";
import { localLimit, systemErrorCode, systemFailure } from "./system-failure.js";

export interface HandshakeProgress {
  readonly phase: Extract<Phase, "handshake" | "auth">;
  /** What authentication offered so far. */
  readonly tried: readonly string[];
}

/** `error` is what ssh2 emitted; null when the stream merely ended. */
export function handshakeFailure(plan: HostPlan, error: unknown, progress: HandshakeProgress): HostError {
  if (error instanceof HostError) return error;
  const { phase, tried } = progress;
  const name = planLabel(plan);
  const more = tried.length === 0 ? {} : { tried };
  if (systemErrorCode(error) !== null) {
    const failure = systemFailure(error, plan, phase);
    return new HostError(failure.failure.code, phase, failure.message, more);
  }
  const said = error instanceof Error ? oneLine(error.message) : "";
  const missing = /^Handshake failed: no matching (.+)$/.exec(said)?.[1];
  if (missing !== undefined) {
    const code = missing === "host key format" ? "host-key-algorithm" : "protocol-error";
    const message = `${name}: no matching ${missing}: the built-in client and the server have none in common`;
    return new HostError(code, "handshake", message, {
      fix: "install OpenSSH's ssh, which knows more algorithms",
    });
  }
  if (error === null || /^Connection lost/.test(said)) {
    const during = phase === "auth" ? "during authentication" : "during the key exchange";
    return new HostError(
      "connection-lost",
      phase,
      `${name}: the server closed the connection ${during}`,
      more,
    );
  }
  if (phase === "auth" && /authentication/i.test(said)) {
    const fix = "name the right key with --ssh-key, or with IdentityFile and IdentitiesOnly in the config";
    return new HostError("auth-failed", "auth", `${name}: the server hung up: "${said}"`, { ...more, fix });
  }
  // A disconnect message carries its reason as a number; all else is what ssh2 makes of bad bytes.
  const disconnected = typeof error === "object" && typeof Reflect.get(error, "code") === "number";
  if (disconnected)
    return new HostError("connection-lost", phase, `${name}: the server hung up: "${said}"`, more);
  return new HostError("protocol-error", phase, `${name}: ${said === "" ? "unknown error" : said}`, more);
}

/** All keys were refused, or there were none to offer. */
export function authFailure(plan: HostPlan, refusal: Refusal, candidates: Candidates): HostError {
  // What could not be looked at may hold the key: the server has refused nothing of it.
  const limit = localLimit(candidates.localLimit, "auth", `${planLabel(plan)}: keys could not be read`);
  if (limit !== null) return limit;
  const skipped = candidates.skipped.map((entry) => `${entry.source} skipped: ${entry.reason}`);
  const tried = [...refusal.tried, ...skipped];
  const name = planLabel(plan);
  const takesKeys = refusal.methods.includes("publickey");
  const methods = refusal.methods.join(", ");
  if (refusal.offered === 0 && takesKeys) {
    const encrypted = candidates.skipped.find((entry) => entry.encrypted);
    const file = encrypted?.source.replace(/^--ssh-key /, "");
    const fix =
      file === undefined
        ? "name a key with --ssh-key, or start ssh-agent and ssh-add one"
        : `ssh-add ${file}`;
    return new HostError(
      "no-usable-key",
      "auth",
      `${name}: no key that could be offered (the server takes: ${methods})`,
      { tried, fix },
    );
  }
  if (!takesKeys) {
    const message = `${name}: the server takes no keys${refusal.offered > 0 ? " more" : ""} (it takes: ${methods || "nothing"})`;
    return new HostError("auth-failed", "auth", message, { tried });
  }
  const port = plan.port === 22 ? "" : `-p ${plan.port} `;
  const fix = `ssh-copy-id ${port}${plan.user}@${plan.config.originalHost}`;
  return new HostError(
    "auth-failed",
    "auth",
    `${name}: the server accepted none of our keys (it takes: ${methods})`,
    {
      tried,
      fix,
    },
  );
}
