/** A remote shell that ended, hung or said something else before its answer was whole. */
import { HostError } from "../contract/errors.js";
import { MORE_THAN_A_FRAME } from "./answer-bounds.js";
import type { Answer, LaneEnd } from "./lane.js";

/** Throws HostError where the shell itself hung or died. */
export function whatCameInstead(answer: Answer): string {
  if (answer.kind === "stuck") throw probeTimeout(answer);
  if (answer.kind === "closed" && (answer.end.kind === "signal" || answer.end.kind === "flooded"))
    throw shellDied(answer);
  return answer.kind === "closed" ? `${answer.preamble}\n${answer.stderr}` : "";
}

/** For a shell that ended before its answer did. */
export function howItEnded(end: LaneEnd): string {
  switch (end.kind) {
    case "exit":
      return `the remote shell ended with exit code ${end.code}`;
    case "signal":
      return `the remote shell was ended by ${end.signal}`;
    case "flooded":
      return `the host sent ${MORE_THAN_A_FRAME} for one tick`;
    case "lost":
      return "the channel was lost before the answer came";
  }
}

export function shellDied(answer: Answer & { readonly kind: "closed" }): HostError {
  return new HostError("connection-lost", "probe", howItEnded(answer.end));
}

export function probeTimeout(answer: Answer): HostError {
  const secs = Math.round(answer.latencyMs / 1000);
  return new HostError("probe-timeout", "probe", `the host's shell gave no answer within ${secs} s`, {
    fix: "see whether the login shell's rc files or the home directory hang",
  });
}
