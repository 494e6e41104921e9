/** What a jump host's failure means for the targets behind it. Pure. */
import { HostError } from "../../contract/errors.js";
import type { FailureCode, Phase } from "../../contract/record.js";
import { oneLine } from "../../lib/text.js";
import type { HostPlan } from "../plan/plan.js";

/** The jump host could not be reached: its own reason is inside the message, its `tried`, `where` and `fix` are kept, and it is the `cause`. */
export function jumpFailure(name: string, error: HostError): HostError {
  const { code, message, fix, tried, where } = error.failure;
  const more = {
    ...(fix === undefined ? {} : { fix }),
    ...(tried === undefined ? {} : { tried }),
    ...(where === undefined ? {} : { where }),
  };
  // This machine's own limits, and our own faults, are none of the jump host.
  const told = code === "local-limit" || code === "internal-error" ? code : "proxy-failed";
  const failure = new HostError(told, "dial", `jump host ${name}: ${code}: ${message}`, more);
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

/** The jump host would not or could not connect to the target. `words` are the server's. */
export function forwardFailure(name: string, target: HostPlan, words: string): HostError {
  const said = oneLine(words.replace(/^\(SSH\) Channel open failure: /, ""));
  const message = `jump host ${name} cannot connect to ${target.host}:${target.port}: ${said}`;
  if (/prohibit/i.test(said)) return new HostError("proxy-failed", "dial", message);
  const found = REASONS.find(([pattern]) => pattern.test(said));
  return new HostError(found?.[1] ?? "proxy-failed", found?.[2] ?? "dial", message);
}
