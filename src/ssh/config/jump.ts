/** ProxyJump values: `[user@]host[:port]` and `ssh://` URIs, in chains. */
import type { JumpHop } from "./host-config.js";
import { parseInteger, parseDomain } from "./values.js";

/** Port of a service name in the services database, as getservbyname(3) for tcp. */
export type ServicePort = (name: string) => number | null;

/** A port from 1 to 65535, or a service name. Null: neither. */
export function parsePort(text: string, servicePort: ServicePort): number | null {
  const number = parseInteger(text, 65535);
  const port = typeof number === "number" ? number : servicePort(text);
  return port === null || port === 0 ? null : port;
}

/** The value of a ProxyJump line. `extra` is the chain before the last hop, as written. */
export type Jump =
  | { readonly kind: "none" }
  | {
      readonly kind: "via";
      readonly hops: readonly JumpHop[];
      readonly last: JumpHop;
      readonly extra: string | null;
    };

/** Reads a ProxyJump line's value after OpenSSH 9.2's parse_jump. Null: ssh reports it as invalid. */
export function parseJump(text: string, servicePort: ServicePort): Jump | null {
  if (text.toLowerCase() === "none") return { kind: "none" };
  const chain = text.split(/[ \t\r\n#]/, 1)[0] ?? "";
  const hops: JumpHop[] = [];
  for (const item of chain.split(",")) {
    const hop = parseHop(item, servicePort);
    if (hop === null) return null;
    hops.push(hop);
  }
  const last = hops.at(-1);
  if (last === undefined) return null;
  const comma = chain.lastIndexOf(",");
  return { kind: "via", hops, last, extra: comma === -1 ? null : chain.slice(0, comma) };
}

/** One hop; null when it is malformed. */
function parseHop(text: string, servicePort: ServicePort): JumpHop | null {
  return text.startsWith("ssh://") ? parseUri(text.slice(6), servicePort) : parsePlain(text, servicePort);
}

function parsePlain(text: string, servicePort: ServicePort): JumpHop | null {
  const at = text.lastIndexOf("@");
  if (at === 0) return null;
  const where = splitHostPort(text.slice(at + 1));
  if (where === null || where.delimiter === "/") return null;
  return makeHop(at === -1 ? null : text.slice(0, at), where.host, where.rest, servicePort);
}

function parseUri(text: string, servicePort: ServicePort): JumpHop | null {
  const at = text.indexOf("@");
  const info = at === -1 ? null : (text.slice(0, at).split(";", 1)[0] ?? "");
  if (info === "") return null;
  const user = info === null ? null : decodeUri(info);
  if (info !== null && user === null) return null;
  const where = splitHostPort(text.slice(at + 1));
  if (where === null || "message" in parseDomain(where.host)) return null;
  const slash = where.delimiter === ":" ? where.rest.indexOf("/") : -1;
  const port = where.delimiter === ":" ? (slash === -1 ? where.rest : where.rest.slice(0, slash)) : "";
  const path = where.delimiter === "/" ? where.rest : slash === -1 ? "" : where.rest.slice(slash + 1);
  if (path !== "" || (where.delimiter === ":" && slash === 0)) return null;
  return makeHop(user, where.host.replace(/\.$/, ""), port, servicePort);
}

function makeHop(
  user: string | null,
  host: string,
  portText: string,
  servicePort: ServicePort,
): JumpHop | null {
  const port = portText === "" ? undefined : parsePort(portText, servicePort);
  if (host === "" || port === null) return null;
  return { host, ...(user === null ? {} : { user }), ...(port === undefined ? {} : { port }) };
}

/** Host and what follows the first `:` or `/` after it; brackets around the host are taken off. */
function splitHostPort(text: string): { host: string; delimiter: ":" | "/" | ""; rest: string } | null {
  const parts = /^(\[[^\]]*\]|[^[:/][^:/]*)(?:([:/])([^]*))?$/.exec(text);
  if (parts === null) return null;
  const [, name = "", delimiter = "", rest = ""] = parts;
  const host = name.startsWith("[") ? name.slice(1, -1) : name;
  return { host, delimiter: delimiter === ":" || delimiter === "/" ? delimiter : "", rest };
}

function decodeUri(text: string): string | null {
  if (/%(?![0-9a-f]{2})/i.test(text)) return null;
  const bytes: number[] = [];
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at);
    if (char === "%") {
      bytes.push(parseInt(text.slice(at + 1, at + 3), 16));
      at += 2;
    } else bytes.push(...Buffer.from(char === "+" ? " " : char));
  }
  return Buffer.from(bytes).toString().split("\0", 1)[0] ?? "";
}

/** A hop as `ssh -G` prints it: brackets around addresses. */
export function formatHop({ user, host, port }: JumpHop): string {
  const numeric = host.includes(":") || /^[0-9.]*$/.test(host);
  const name = numeric ? `[${host}]` : host;
  return `${user === undefined ? "" : `${user}@`}${name}${port === undefined ? "" : `:${port}`}`;
}
