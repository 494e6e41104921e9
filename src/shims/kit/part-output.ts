/** The errors that failed parts add to the record, the same for every shim. */
import type { Section, SectionError } from "../../contract/record.js";
import { MAX_SCANNED, oneLine } from "../../lib/text.js";
import { at, findJson } from "./json-text.js";
import type { PartOutput } from "./shim.js";

/**
 * The entry for `errors` of a part that did not exit with status 0; null when it did. `wasRead`: its stdout held
 * readings all the same, so stdout is no error message.
 */
export function partError(
  section: Section,
  tool: string,
  output: PartOutput | undefined,
  wasRead = false,
): SectionError | null {
  if (output === undefined) return { section, kind: "error", message: `${tool} was not asked in this tick` };
  const text = wasRead ? oneLine(output.stderr) : outputText(output);
  switch (output.end.kind) {
    case "exit":
      if (output.end.code === 0) return null;
      return {
        section,
        kind: "error",
        message: text === "" ? `${tool} exited ${String(output.end.code)}` : `${tool}: ${text}`,
        exit_code: output.end.code,
      };
    case "signal":
      return {
        section,
        kind: "error",
        message: `${tool} was ended by ${output.end.signal}${text === "" ? "" : `: ${text}`}`,
        exit_signal: output.end.signal,
      };
    case "timeout":
      return {
        section,
        kind: "timeout",
        message:
          `${tool} gave no answer within ${String(output.end.afterSecs)} s` +
          (output.end.earlier === true ? " in an earlier tick; it is paused for a while" : ""),
      };
    case "flooded":
      return {
        section,
        kind: "error",
        message: `${tool} printed ${output.end.what}; it is paused for a while`,
      };
    case "missing":
      return { section, kind: "error", message: `${tool}: ${output.end.why ?? "its answer did not arrive"}` };
  }
}

/** A tool's own message in one line: stderr, or a JSON object's `error`, or else stdout. */
export function outputText(output: PartOutput): string {
  const stderr = oneLine(cause(output.stderr));
  if (stderr !== "") return stderr;
  const error = at(findJson(output.stdout.slice(0, MAX_SCANNED)).documents[0], "error");
  return oneLine(typeof error === "string" ? error : output.stdout);
}

/** The last line of a Python traceback, which has the reason: the whole traceback would fill any message. */
function cause(stderr: string): string {
  const trace = stderr.lastIndexOf("Traceback (most recent call last)");
  if (trace < 0) return stderr;
  const lines = stderr.slice(trace).split("\n").slice(1);
  return lines.findLast((line) => /^[A-Za-z_]/.test(line)) ?? stderr;
}

const MAX_ERRORS = 16;

/** The first MAX_ERRORS entries and a count of the rest. */
export function firstErrors(errors: readonly SectionError[]): readonly SectionError[] {
  const [first] = errors;
  if (first === undefined || errors.length <= MAX_ERRORS) return errors;
  const message = `and ${String(errors.length - MAX_ERRORS)} more errors like these`;
  return [...errors.slice(0, MAX_ERRORS), { section: first.section, kind: first.kind, message }];
}
