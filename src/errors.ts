/** The errors that cross the stages of the pipeline. Everything else that is thrown is a bug (exit 1). */
import type { FailureCode, LastError, Phase } from "./record.js";

/** What the user typed cannot be run: flags, hostfile, key file. One line a problem; exit 2, nothing connected. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  constructor(
    readonly problems: readonly string[],
    /** False: no flag would mend it, so that the help is no help. */
    readonly hintsAtHelp = true,
  ) {
    super(problems.join("\n"));
  }
}

export interface HostFailure extends LastError {
  readonly code: FailureCode;
}

/** A host could not be reached, refused us, or went away. `failure` is what the record says of it. */
export class HostError extends Error {
  override readonly name = "HostError";
  readonly failure: HostFailure;
  constructor(code: FailureCode, phase: Phase, message: string, more: Partial<LastError> = {}) {
    super(message);
    this.failure = { ...more, code, phase, message };
  }
}

/** A tool's output is not what its documentation says. The message is for the record's `errors`. */
export class ParseError extends Error {
  override readonly name = "ParseError";
}
