/** What this machine itself has run out of, as a failure: no host's fault. */
import { HostError } from "./errors.js";
import type { Phase } from "./record.js";

/** What this machine itself has run out of, and what to do: no host's fault (open(2), socket(2), fork(2)). */
const LIMITS: ReadonlyMap<string, { readonly message: string; readonly fix: string }> = new Map(
  Object.entries({
    EMFILE: { message: "this process has too many open files", fix: "raise `ulimit -n`" },
    ENFILE: { message: "this machine has too many open files", fix: "raise `sysctl fs.file-max`" },
    EAGAIN: {
      message: "this machine cannot start more processes or open more sockets",
      fix: "raise `ulimit -u`",
    },
    ENOMEM: { message: "this machine has no memory left", fix: "free memory, or raise `ulimit -v`" },
    ENOBUFS: { message: "this machine has no memory left for sockets", fix: "free memory" },
  }),
);

/** `ECONNREFUSED`, ...; looks into an AggregateError, whose own message is empty. */
export function systemErrorCode(error: unknown): string | null {
  if (typeof error !== "object" || error === null) return null;
  const code: unknown = Reflect.get(error, "code");
  if (typeof code === "string") return code;
  return error instanceof AggregateError ? systemErrorCode(error.errors[0]) : null;
}

/** Whether a failed system call hit a limit of this machine or process. */
export function isLocalLimit(error: unknown): boolean {
  const code = systemErrorCode(error);
  return code !== null && LIMITS.has(code);
}

/** `local-limit` for what this machine itself has run out of, null for any other error. `what` could not be done. */
export function localLimit(error: unknown, phase: Phase, what: string): HostError | null {
  const code = systemErrorCode(error) ?? "";
  const limit = LIMITS.get(code);
  if (limit === undefined) return null;
  return new HostError("local-limit", phase, `${what}: ${limit.message} (${code}); ${limit.fix}`, {
    fix: limit.fix,
  });
}
