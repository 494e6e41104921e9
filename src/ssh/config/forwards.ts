/** LocalForward, RemoteForward and DynamicForward values (parse_forward in OpenSSH's readconf.c). */
import { parsePort, type ServicePort } from "./jump.js";

/** One end: a socket path, or a host (null: not given) and port. */
export type ForwardEnd =
  | { readonly kind: "path"; readonly path: string }
  | { readonly kind: "port"; readonly host: string | null; readonly port: number };

/** `connect` is null for a SOCKS proxy. */
export interface Forward {
  readonly listen: ForwardEnd;
  readonly connect: ForwardEnd | null;
}

export interface ForwardRules {
  readonly dynamic: boolean;
  readonly remote: boolean;
  readonly servicePort: ServicePort;
}

const MAX_HOST_CHARS = 1024;
const MAX_SOCKET_PATH_BYTES = 107;

/** Reads `listen:connect` after environment expansion. Null: ssh reports a bad forwarding specification. */
export function parseForward(text: string, { dynamic, remote, servicePort }: ForwardRules): Forward | null {
  const fields = splitFields(text.replace(/^[ \t\n\v\f\r]+/, ""));
  if (fields === null) return null;
  const forward = shape(fields, (port) => (port === "0" ? 0 : (parsePort(port, servicePort) ?? -1)));
  if (forward === null) return null;
  const { listen, connect } = forward;
  const bothPorts = fields.length >= 3;
  if (dynamic ? fields.length > 2 || connect?.kind === "path" : !bothPorts && !hasPath(forward)) return null;
  if (!dynamic && connect === null && listen.kind !== "path") return null;
  if (connect?.kind === "port" && connect.port <= 0) return null;
  if (listen.kind === "port" && (listen.port < 0 || (!remote && listen.port === 0))) return null;
  return [listen, connect].every((end) => end === null || fits(end)) ? forward : null;
}

function hasPath({ listen, connect }: Forward): boolean {
  return listen.kind === "path" || connect?.kind === "path";
}

function fits(end: ForwardEnd): boolean {
  if (end.kind === "path") return Buffer.byteLength(end.path) < MAX_SOCKET_PATH_BYTES + 1;
  return end.host === null || end.host.length < MAX_HOST_CHARS;
}

interface Field {
  readonly text: string;
  readonly isPath: boolean;
}

/** At most four fields, separated by colons; brackets and backslashes quote. */
function splitFields(text: string): Field[] | null {
  const fields: Field[] = [];
  let rest = text;
  while (rest !== "" && fields.length < 4) {
    const field = rest.startsWith("[") ? bracketed(rest) : plain(rest);
    if (field === null) return null;
    fields.push({ text: field.text, isPath: field.isPath });
    rest = field.rest;
  }
  return rest === "" ? fields : null;
}

function bracketed(text: string): (Field & { rest: string }) | null {
  const parts = /^\[([^\]]*)\](?::([^]*)|$)/.exec(text);
  if (parts === null) return null;
  const [, inner = "", rest = ""] = parts;
  return { text: inner, isPath: inner.includes("/"), rest };
}

function plain(text: string): (Field & { rest: string }) | null {
  let out = "";
  let isPath = false;
  for (let at = 0; at < text.length; at++) {
    let char = text.charAt(at);
    if (char === ":") return { text: out, isPath, rest: text.slice(at + 1) };
    if (char === "/") isPath = true;
    if (char === "\\") {
      char = text.charAt(++at);
      if (char === "") return null;
    }
    out += char;
  }
  return { text: out, isPath, rest: "" };
}

function shape(fields: readonly Field[], toPort: (text: string) => number): Forward | null {
  const [a, b, c, d] = fields;
  const path = (field: Field): ForwardEnd => ({ kind: "path", path: field.text });
  const port = (host: Field | null, field: Field): ForwardEnd => ({
    kind: "port",
    host: host?.text ?? null,
    port: toPort(field.text),
  });
  if (a === undefined) return null;
  if (b === undefined) return { listen: a.isPath ? path(a) : port(null, a), connect: null };
  if (c === undefined) {
    if (b.isPath) return { listen: a.isPath ? path(a) : port(null, a), connect: path(b) };
    return { listen: port(a, b), connect: null };
  }
  if (d === undefined) {
    if (a.isPath) return { listen: path(a), connect: port(b, c) };
    if (c.isPath) return { listen: port(a, b), connect: path(c) };
    return { listen: port(null, a), connect: port(b, c) };
  }
  return { listen: port(a, b), connect: port(c, d) };
}
