/** Failed system calls as failures of a host. */
import { closeSync, openSync } from "node:fs";
import { HostError } from "../contract/errors.js";
import type { FailureCode, Phase } from "../contract/record.js";

const CODES: Readonly<Record<string, FailureCode>> = {
  ECONNREFUSED: "connection-refused",
  ENOTFOUND: "dns-not-found",
  EAI_AGAIN: "dns-not-found",
  EAI_NODATA: "dns-not-found",
  ETIMEDOUT: "connect-timeout",
  ECONNRESET: "connection-lost",
  EPIPE: "connection-lost",
  ECONNABORTED: "connection-lost",
};

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ENOTFOUND: "no address for the name",
  EAI_AGAIN: "the name server did not answer",
  EAI_NODATA: "no address for the name",
  EHOSTUNREACH: "no route to the host",
  ENETUNREACH: "the network is unreachable",
  EADDRNOTAVAIL: "no local address or port to connect from",
  EACCES: "permission denied",
  EPERM: "not permitted (a firewall of this machine?)",
  ETIMEDOUT: "timed out",
  ECONNRESET: "the connection was reset",
  EPIPE: "the connection was closed",
};

/** What this machine itself has run out of, and what to do: no host's fault (open(2), socket(2), fork(2)). */
const LIMITS: Readonly<Record<string, { readonly words: string; readonly fix: string }>> = {
  EMFILE: { words: "this process has too many open files", fix: "raise `ulimit -n`" },
  ENFILE: { words: "this machine has too many open files", fix: "raise `sysctl fs.file-max`" },
  EAGAIN: { words: "this machine has no more processes or sockets to give", fix: "raise `ulimit -u`" },
  ENOMEM: { words: "this machine has no memory left", fix: "free memory, or raise `ulimit -v`" },
  ENOBUFS: { words: "this machine has no memory left for sockets", fix: "free memory" },
};

/** `ECONNREFUSED`, ...; looks into an AggregateError, whose own message is empty. */
export function systemErrorCode(error: unknown): string | null {
  if (typeof error !== "object" || error === null) return null;
  const code: unknown = Reflect.get(error, "code");
  if (typeof code === "string") return code;
  return error instanceof AggregateError ? systemErrorCode(error.errors[0]) : null;
}

/** getaddrinfo(3) that can open neither files nor sockets tells of a name that is not there. */
function lookupLimit(error: unknown): unknown {
  try {
    closeSync(openSync("/dev/null", "r"));
    return error;
  } catch (limit) {
    return isLocalLimit(limit) ? limit : error;
  }
}

/** Whether a failed system call tells of a limit of this machine or process. */
export function isLocalLimit(error: unknown): boolean {
  const code = systemErrorCode(error);
  return code !== null && ownOf(LIMITS, code) !== undefined;
}

/** An error's code may be any text, `constructor` too. */
function ownOf<Value>(table: Readonly<Record<string, Value>>, key: string): Value | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

/** `local-limit` for what this machine itself has run out of, null for any other error. `what` could not be done. */
export function localLimit(error: unknown, phase: Phase, what: string): HostError | null {
  const code = systemErrorCode(error) ?? "";
  const limit = ownOf(LIMITS, code);
  if (limit === undefined) return null;
  return new HostError("local-limit", phase, `${what}: ${limit.words} (${code}); ${limit.fix}`, {
    fix: limit.fix,
  });
}

/** Errors that are already a HostError stay as they are. */
export function systemFailure(
  error: unknown,
  where: { readonly host: string; readonly port: number },
  phase: Phase,
): HostError {
  if (error instanceof HostError) return error;
  const name = `${where.host} port ${where.port}`;
  const limit = localLimit(phase === "resolve" ? lookupLimit(error) : error, phase, name);
  if (limit !== null) return limit;
  const code = systemErrorCode(error);
  const words = code === null ? undefined : ownOf(WORDS, code);
  const said = words ?? (error instanceof Error && error.message !== "" ? error.message : "unknown error");
  const tag = code === null || said.includes(code) ? "" : ` (${code})`;
  const fallback: FailureCode =
    phase === "resolve" ? "dns-not-found" : phase === "dial" ? "network-unreachable" : "connection-lost";
  return new HostError(
    (code === null ? undefined : ownOf(CODES, code)) ?? fallback,
    phase,
    `${name}: ${said}${tag}`,
  );
}
