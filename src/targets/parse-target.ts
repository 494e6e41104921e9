/** `[user@]host[:port]` and `ssh://[user@]host[:port]`, as typed after `--ssh` or in a hostfile. */
import { isIPv6 } from "node:net";
import type { Target } from "../contract/target.js";
import { cleanText } from "../lib/text.js";

export type ParsedTarget =
  | { readonly kind: "target"; readonly target: Target }
  /** `problem` is what is wrong and what to do, without file and line. */
  | { readonly kind: "problem"; readonly problem: string };

// Characters that ssh refuses in a host name (valid_hostname in OpenSSH's ssh.c), and others that no host name has.
const NOT_IN_HOST = /[\s'"`$\\;&<>|(){},/@[\]]/;
// Characters that ssh refuses in a user name (valid_ruser). A backslash inside it is allowed, for DOMAIN\user.
const NOT_IN_USER = /[\s'"`;&<>|(){}$]|\\$/;
const MAX_HOST_LENGTH = 255;
const ADVICE = "write [user@]host[:port]";

/** Never throws. The target's labels are empty. */
export function parseTarget(text: string, origin: string): ParsedTarget {
  const shown = `"${cleanText(text)}"`;
  const bad = (problem: string): ParsedTarget => ({ kind: "problem", problem });
  if (text === "") return bad(`empty target; ${ADVICE}`);
  if (cleanText(text) !== text || text.includes("\ufffd")) {
    return bad(`${shown} holds a control character or is not UTF-8; remove it`);
  }
  const uri = /^ssh:\/\//i.test(text);
  const bare = uri ? text.slice("ssh://".length).replace(/\/$/, "") : text;

  const at = bare.lastIndexOf("@");
  const user = at === -1 ? undefined : decodeUser(bare.slice(0, at), uri);
  const rest = bare.slice(at + 1);
  if (user === "") return bad(`${shown} has no user before the @; ${ADVICE}`);
  if (user === null || (user !== undefined && (user.startsWith("-") || NOT_IN_USER.test(user)))) {
    return bad(`${shown} has a user name that ssh refuses; ${ADVICE}`);
  }

  const split = splitPort(rest);
  if (split === null)
    return bad(`${shown} is not an IPv6 address in brackets; write [address] or [address]:port`);
  if (split === "bare-ipv6")
    return bad(`${shown} has more than one colon; write an IPv6 address in brackets: [${rest}]`);
  const { host, portText } = split;
  if (host === "") return bad(`${shown} has no host; ${ADVICE}`);
  if (host.startsWith("-")) return bad(`${shown} has a host that starts with "-"; ${ADVICE}`);
  if (!isIPv6(host) && NOT_IN_HOST.test(host)) {
    return bad(`${shown} has a character that no host name holds; ${ADVICE}, one target each`);
  }
  if (host.length > MAX_HOST_LENGTH)
    return bad(`the host is longer than ${MAX_HOST_LENGTH} characters; ${ADVICE}`);
  const port = portText === undefined ? undefined : readPort(portText);
  if (port === null) return bad(`${shown} has no valid port after the colon; write a port from 1 to 65535`);
  return {
    kind: "target",
    target: {
      ...(user === undefined ? {} : { user }),
      host,
      ...(port === undefined ? {} : { port }),
      labels: {},
      origin,
    },
  };
}

/** `user@host:port` as typed; an IPv6 address is in brackets. */
export function targetText({ user, host, port }: Target): string {
  const name = host.includes(":") ? `[${host}]` : host;
  return `${user === undefined ? "" : `${user}@`}${name}${port === undefined ? "" : `:${port}`}`;
}

/** The same for messages and for finding duplicates, with the host in lower case. */
export function targetKey(target: Target): string {
  return targetText({ ...target, host: target.host.toLowerCase() });
}

function decodeUser(text: string, uri: boolean): string | null {
  if (!uri) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

type HostAndPort = { readonly host: string; readonly portText: string | undefined };

function splitPort(text: string): HostAndPort | "bare-ipv6" | null {
  if (text.startsWith("[")) {
    const match = /^\[([^\]]*)\](?::(.*))?$/s.exec(text);
    const host = match?.[1];
    return host === undefined || !isIPv6(host) ? null : { host, portText: match?.[2] };
  }
  const colon = text.indexOf(":");
  if (colon === -1) return { host: text, portText: undefined };
  if (text.includes(":", colon + 1)) return "bare-ipv6";
  return { host: text.slice(0, colon), portText: text.slice(colon + 1) };
}

function readPort(text: string): number | null {
  if (!/^\d{1,5}$/.test(text)) return null;
  const port = Number(text);
  return port >= 1 && port <= 65_535 ? port : null;
}
