/**
 * How a question to a host ended: one union for its frame, its shell and its channel, one message for each of its kinds,
 * and what each means for the parts that were asked.
 */
import type { ChannelEnd } from "../contract/connection.js";
import type { PartEnd, PartOutput, PartOutputs, Sampler } from "../shims/kit/shim.js";
import { MORE_THAN_A_FRAME } from "./answer-bounds.js";

export type AnswerEnd =
  /** The frame's end marker came. */
  { readonly kind: "whole" } | CutShort;

/** The frame stopped before its end marker. */
export type CutShort =
  /** The channel closed. */
  | ChannelEnd
  /** Nothing came for longer than any part may take. The remote side still works on it. */
  | { readonly kind: "hung" }
  /** The host sent more than a frame may have, and we closed the channel. */
  | { readonly kind: "flooded" }
  /** The server opened no channel, or no shell is free: nothing was asked. */
  | { readonly kind: "refused"; readonly message: string };

/** For the record: why a tick has no reading, or a probe no result. */
export function endMessage(end: CutShort): string {
  switch (end.kind) {
    case "exit":
      return `the remote shell ended with exit code ${end.code}`;
    case "signal":
      return `the remote shell was ended by ${end.signal}`;
    case "lost":
      return "the channel was lost before the answer came";
    case "hung":
      return "the host's shell gives no answer";
    case "flooded":
      return `the host sent ${MORE_THAN_A_FRAME} for one tick`;
    case "refused":
      return end.message;
  }
}

/** The channel closed by itself: its shell exited, was killed, or the connection was lost. */
export function hasClosed(end: AnswerEnd): end is ChannelEnd {
  return end.kind === "exit" || end.kind === "signal" || end.kind === "lost";
}

// ---- parts

/**
 * How a part ended, by the status that the shell reported. `timeout` exits with 124. Shells report a killed program as
 * 128 + the signal, but not all of them: a part that failed and took as long as its deadline counts as timed out.
 */
export function endOfStatus(status: number, elapsedMs: number, toolTimeoutSecs: number): PartEnd {
  if (status === 124) return { kind: "timeout", afterSecs: toolTimeoutSecs };
  if (status !== 0 && elapsedMs >= toolTimeoutSecs * 1000 - 100)
    return { kind: "timeout", afterSecs: toolTimeoutSecs };
  const signal = status > 128 && status < 160 ? SIGNALS.get(status - 128) : undefined;
  if (signal !== undefined) return { kind: "signal", signal };
  return { kind: "exit", code: Number.isInteger(status) ? status : 255 };
}

const SIGNALS = new Map([
  [1, "SIGHUP"],
  [2, "SIGINT"],
  [3, "SIGQUIT"],
  [4, "SIGILL"],
  [6, "SIGABRT"],
  [7, "SIGBUS"],
  [8, "SIGFPE"],
  [9, "SIGKILL"],
  [11, "SIGSEGV"],
  [13, "SIGPIPE"],
  [15, "SIGTERM"],
]);

/** How a part ended that had a channel of its own. */
export function endOfChannel(end: ChannelEnd): PartEnd {
  return end.kind === "lost" ? { kind: "missing" } : end;
}

/** The part in which a shell hangs: it has begun and not ended. */
export function hungPart(outputs: PartOutputs): string | null {
  for (const [id, { end }] of outputs) if (end.kind === "missing") return id;
  return null;
}

/** What dash, bash, busybox and ksh print before they exit because the user, or the host, may have no more processes. */
const CANNOT_FORK = /\b(?:[Cc]an(?:no|')t fork|cannot fork|fork: )/;
const NO_PROCESSES = "the host can start no more processes";

/**
 * The output to record for a part for which the host had no process; null when the answer ended for another reason.
 * `otherOutput`: what the shell printed besides the frame.
 */
export function unstartedOutput(end: AnswerEnd, otherOutput: string): PartOutput | null {
  if (!ranOutOfMemory(end) || !CANNOT_FORK.test(otherOutput)) return null;
  return { stdout: "", stderr: "", end: { kind: "missing", why: NO_PROCESSES } };
}

/** The output to record for a part that printed without end; null when the answer ended for another reason. */
export function floodedOutput(end: AnswerEnd): PartOutput | null {
  const what = ranOutOfMemory(end) ? "more than the remote shell could hold" : MORE_THAN_A_FRAME;
  if (end.kind !== "flooded" && !ranOutOfMemory(end)) return null;
  return { stdout: "", stderr: "", end: { kind: "flooded", what } };
}

/** A shell at its memory limit: bash and busybox exit with a status, dash dies of SIGSEGV. */
function ranOutOfMemory(end: AnswerEnd): boolean {
  if (end.kind === "exit") return end.code !== 0;
  return end.kind === "signal" && end.signal.endsWith("SEGV");
}

/**
 * The outputs that had come when the answer stopped. Rows that a vendor tool had printed are kept. The unfinished output
 * of the host's own parts is dropped: half of it would count too few CPUs. `late` is the end of the part that hung.
 */
export function markCutShort(
  system: Sampler | null,
  outputs: PartOutputs,
  late: PartOutput | null,
): PartOutputs {
  const own = new Set(system?.parts.map(({ id }) => id));
  const mark = (id: string, output: PartOutput): PartOutput => {
    if (output.end.kind !== "missing") return output;
    const end: PartEnd =
      late?.end.kind === "timeout" ? { kind: "timeout", afterSecs: late.end.afterSecs } : output.end;
    return { ...output, stdout: own.has(id) ? "" : output.stdout, end };
  };
  return new Map([...outputs].map(([id, output]): [string, PartOutput] => [id, mark(id, output)]));
}
