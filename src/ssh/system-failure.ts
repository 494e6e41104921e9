/** Failed system calls as failures of a host. */
import { HostError } from "../errors.js";
import type { FailureCode, Phase } from "../record.js";

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
  EMFILE: "this process has too many open files",
  ENFILE: "this machine has too many open files",
};

/** `ECONNREFUSED`, ...; looks into an AggregateError, whose own message is empty. */
export function systemErrorCode(error: unknown): string | null {
  if (typeof error !== "object" || error === null) return null;
  const code: unknown = Reflect.get(error, "code");
  if (typeof code === "string") return code;
  return error instanceof AggregateError ? systemErrorCode(error.errors[0]) : null;
}

/** Errors that are already a HostError stay as they are. */
export function systemFailure(
  error: unknown,
  where: { readonly host: string; readonly port: number },
  phase: Phase,
): HostError {
  if (error instanceof HostError) return error;
  const code = systemErrorCode(error);
  const words = code === null ? undefined : WORDS[code];
  const said = words ?? (error instanceof Error && error.message !== "" ? error.message : "unknown error");
  const tag = code === null || said.includes(code) ? "" : ` (${code})`;
  const fallback: FailureCode =
    phase === "resolve" ? "dns-not-found" : phase === "dial" ? "network-unreachable" : "connection-lost";
  const fix = code === "EMFILE" ? { fix: "ulimit -n 65536" } : {};
  const message = `${where.host} port ${where.port}: ${said}${tag}`;
  return new HostError((code === null ? undefined : CODES[code]) ?? fallback, phase, message, fix);
}
