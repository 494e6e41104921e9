/**
 * The errors that cross the stages of the pipeline. Everything else that is thrown is a bug: of one host where it was
 * thrown for one (`internal-error`), of the whole run else; exit 1 in both cases.
 */
import { oneLine } from "../lib/text.js";
import type { FailureCode, LastError, Phase } from "./record.js";

/** What the user typed cannot be run: flags, hostfile, key file. One line for each problem; exit 2, nothing connected. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  constructor(
    readonly problems: readonly string[],
    /** False: no flag would fix it, so the message does not point to --help. */
    readonly hintsAtHelp = true,
  ) {
    super(problems.join("\n"));
  }
}

export interface HostFailure extends LastError {
  readonly code: FailureCode;
}

/** A host could not be reached, refused us, or went away. `failure` goes into the record. */
export class HostError extends Error {
  override readonly name = "HostError";
  readonly failure: HostFailure;
  constructor(code: FailureCode, phase: Phase, message: string, more: Partial<LastError> = {}) {
    super(message);
    this.failure = { ...more, code, phase, message };
  }
}

/** Takes what was thrown for one host and should not have been: its stack is for the operator. */
export type ReportFault = (host: string, error: unknown) => void;

/** A HostError as it is; for anything else an `internal-error` with it as the cause. */
export function hostErrorOf(error: unknown, phase: Phase): HostError {
  if (error instanceof HostError) return error;
  const [firstLine = ""] = stackOf(error).split("\n", 1);
  const failure = new HostError(
    "internal-error",
    phase,
    `internal error of allsmi-ssh: ${oneLine(firstLine)}`,
  );
  failure.cause = error;
  return failure;
}

/** The stack of whatever was thrown, its name and message first. Never throws: what is thrown may be anything. */
export function stackOf(error: unknown): string {
  try {
    if (!(error instanceof Error)) return `not an Error: ${String(error)}`;
    const head = `${error.name}: ${error.message}`;
    // A message may be longer than a line, and what a library overwrote may not be in the stack.
    const frames = (error.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line));
    return [oneLine(head), ...frames].join("\n");
  } catch {
    return "not an Error: a value without a text";
  }
}

/** A tool's output does not match its documentation. The message is for the record's `errors`. */
export class ParseError extends Error {
  override readonly name = "ParseError";
}
