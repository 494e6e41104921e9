/** A jump host's failure as the failure of the targets behind it. Pure. */
import { HostError } from "../../contract/errors.js";
import type { FailureCode, Phase } from "../../contract/record.js";
import { oneLine } from "../../lib/text.js";
import type { HostPlan } from "../plan/plan.js";

/** The jump host could not be reached: its error is the `cause`, its reason is in the message; `tried`, `where` and `fix` are its own. */
export function jumpFailure(name: string, error: HostError): HostError {
  const { code, message, fix, tried, where } = error.failure;
  const more = {
    ...(fix === undefined ? {} : { fix }),
    ...(tried === undefined ? {} : { tried }),
    ...(where === undefined ? {} : { where }),
  };
  // Limits of this machine and bugs of ours are not the jump host's fault.
  const targetCode = code === "local-limit" || code === "internal-error" ? code : "proxy-failed";
  const failure = new HostError(targetCode, "dial", `jump host ${name}: ${code}: ${message}`, more);
  failure.cause = error.cause ?? error;
  return failure;
}

/** The session that carried the connection is gone. */
export function lostWithJump(name: string, error: HostError): HostError {
  const { code, message } = error.failure;
  return new HostError("connection-lost", "sample", `jump host ${name} went away: ${code}: ${message}`);
}

// sshd sends the reason of a failed connect(2) as the channel's description (channels.c, port_open_helper).
const REASONS: readonly (readonly [RegExp, FailureCode, Phase])[] = [
  [/refused/i, "connection-refused", "dial"],
  [/timed out/i, "connect-timeout", "dial"],
  [/unreachable|no route|network is down/i, "network-unreachable", "dial"],
  [/not known|resolve|no address|temporary failure in name|unknown host/i, "dns-not-found", "resolve"],
];

/** The jump host would not or could not connect to the target. `text` is the server's message. */
export function forwardFailure(name: string, target: HostPlan, text: string): HostError {
  const reason = oneLine(text.replace(/^\(SSH\) Channel open failure: /, ""));
  const message = `jump host ${name} cannot connect to ${target.host}:${target.port}: ${reason}`;
  if (/prohibit/i.test(reason)) return new HostError("proxy-failed", "dial", message);
  const found = REASONS.find(([pattern]) => pattern.test(reason));
  return new HostError(found?.[1] ?? "proxy-failed", found?.[2] ?? "dial", message);
}
