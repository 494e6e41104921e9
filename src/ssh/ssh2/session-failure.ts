/** Ended sessions and refused channels, from ssh2's errors. */
import { HostError } from "../../contract/errors.js";
import { oneLine } from "../../lib/text.js";
import { planLabel, type HostPlan } from "../plan/plan.js";

/** `error` is what ssh2 emitted; null when the connection merely ended. */
export function sessionFailure(plan: HostPlan, error: unknown): HostError {
  if (error instanceof HostError) return error;
  const text = error instanceof Error ? error.message : "";
  const lost = text === "" || /^(Connection lost|No response from server)/.test(text);
  const message = `${planLabel(plan)}: ${lost ? "the server closed the connection" : text}`;
  return new HostError(lost || error === null ? "connection-lost" : "protocol-error", "sample", message);
}

/** CHANNEL_OPEN_FAILURE with "connect failed", which sshd sends for MaxSessions, or with "resource shortage". */
export function isOutOfSessions(error: unknown): boolean {
  const reason: unknown =
    typeof error === "object" && error !== null ? Reflect.get(error, "reason") : undefined;
  return reason === 2 || reason === 4;
}

/** Why the server refused a channel, in one line. */
export function refusalOf(error: unknown): string {
  const text = error instanceof Error ? error.message.replace(/^\(SSH\) /, "") : "refused";
  return text === "Unable to exec" ? "the server does not run the command" : oneLine(text);
}
