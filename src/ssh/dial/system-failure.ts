/** Failed system calls as failures of a host. */
import { closeSync, openSync } from "node:fs";
import { HostError } from "../../contract/errors.js";
import { systemErrorCode, isLocalLimit, localLimit } from "../../contract/local-limit.js";
import type { FailureCode, Phase } from "../../contract/record.js";
import { wayFix } from "./way-fix.js";

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

const TEXTS: Readonly<Record<string, string>> = {
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

/** When getaddrinfo(3) can open neither files nor sockets, it reports that the name does not exist. */
function lookupLimit(error: unknown): unknown {
  try {
    closeSync(openSync("/dev/null", "r"));
    return error;
  } catch (limit) {
    return isLocalLimit(limit) ? limit : error;
  }
}

/** An error's code may be any text, `constructor` too. */
function ownOf<Value>(table: Readonly<Record<string, Value>>, key: string): Value | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
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
  const text = code === null ? undefined : ownOf(TEXTS, code);
  const reason = text ?? (error instanceof Error && error.message !== "" ? error.message : "unknown error");
  const tag = code === null || reason.includes(code) ? "" : ` (${code})`;
  const fallback: FailureCode =
    phase === "resolve" ? "dns-not-found" : phase === "dial" ? "network-unreachable" : "connection-lost";
  const failure = (code === null ? undefined : ownOf(CODES, code)) ?? fallback;
  const fix = phase === "resolve" || phase === "dial" ? wayFix(failure, where.host, where.port) : null;
  return new HostError(failure, phase, `${name}: ${reason}${tag}`, fix === null ? {} : { fix });
}
