/**
 * Every inner part of ssh2 that this program relies on: what is no public API, and so may change in any release. Another
 * version is tried against this list by `npm run check-ssh2`; docs/ssh2.md has what to do where it does not fit.
 */

export type Shape = "function" | "array" | "buffer" | "number" | "object" | "string" | "there";

export interface InnerPart {
  /** From a client, as `_protocol._packetRW.write`. */
  readonly path: string;
  readonly shape: Shape;
  /** From when on it is there: right after `connect`, while keys are exchanged, or once the user is in. */
  readonly from: "connect" | "exchange" | "login";
  /** What cannot be done without it. */
  readonly need: string;
  /** The file of src/ssh/ssh2/ that uses it. */
  readonly usedIn: string;
}

const OWN_LOGIN = "sending our own login requests, for certificates and security keys";
const SMALL = "small sessions";
const FAST_KEYS = "fast Curve25519";
const handler = (name: string, need = OWN_LOGIN): InnerPart => ({
  path: `_protocol._handlers.${name}`,
  shape: "function",
  from: "connect",
  need,
  usedIn: "internals.ts",
});
const part = (
  path: string,
  shape: Shape,
  need: string,
  usedIn = "internals.ts",
  from: InnerPart["from"] = "connect",
): InnerPart => ({ path, shape, from, need, usedIn });

export const INNER_PARTS: readonly InnerPart[] = [
  handler("SERVICE_ACCEPT"),
  handler("EXT_INFO"),
  handler("USERAUTH_FAILURE"),
  handler("USERAUTH_PK_OK"),
  handler("USERAUTH_BANNER"),
  handler("USERAUTH_SUCCESS"),
  handler("GLOBAL_REQUEST", "leaving announced host keys unread"),
  part("_protocol._authsQueue", "array", OWN_LOGIN),
  part("_protocol._packetRW.write.allocStart", "number", OWN_LOGIN),
  part("_protocol._packetRW.write.alloc", "function", OWN_LOGIN),
  part("_protocol._packetRW.write.finalize", "function", OWN_LOGIN),
  part("_protocol._cipher.encrypt", "function", OWN_LOGIN),
  part("_protocol._kexinit", "there", "holding our packets back during a key exchange"),
  part("_protocol._packetRW.read.read", "function", "bounds on what a server sends"),
  part("_chanMgr._channels", "object", "bounds on windows, and closing a channel whose command was refused"),
  part("_protocol._decipher.inSeqno", "number", "bounds on what a server sends", "server-state.ts", "login"),
  part(
    "_protocol._packetRW.read._zlib._maxOutputLength",
    "number",
    "bounds on what a server sends compressed",
    "internals.ts",
    "login",
  ),
  part("_protocol.ping", "function", "a keepalive only where nothing else came"),
  part("_protocol._identRaw", "buffer", "a greeting that is sent before ssh2 has the stream"),
  part("_protocol._remoteIdentRaw", "there", SMALL, "fast/kept-bytes.ts"),
  part("_protocol._offer", "object", SMALL, "fast/kept-bytes.ts"),
  part("_protocol._decipher", "there", SMALL, "fast/kept-bytes.ts"),
  part("_protocol._kex.sessionID", "buffer", "signing the login", "internals.ts", "login"),
  part("_protocol._kex.type", "string", FAST_KEYS, "fast/curve25519.ts", "exchange"),
  part("_protocol._kex._keys", "there", FAST_KEYS, "fast/curve25519.ts", "exchange"),
  part("_protocol._kex.generateKeys", "function", FAST_KEYS, "fast/curve25519.ts", "exchange"),
  part("_protocol._kex.getPublicKey", "function", FAST_KEYS, "fast/curve25519.ts", "exchange"),
  part("_protocol._kex.computeSecret", "function", FAST_KEYS, "fast/curve25519.ts", "exchange"),
  part("_remoteVer", "string", "knowing the server's version", "internals.ts", "login"),
];

/** Whether the part is in `client`, and is what it must be. */
export function isThere(client: object, { path, shape }: InnerPart): boolean {
  const names = path.split(".");
  const last = names.pop() ?? "";
  let owner: unknown = client;
  for (const name of names) {
    if (!isObject(owner)) return false;
    owner = Reflect.get(owner, name);
  }
  if (!isObject(owner) || !(last in owner)) return false;
  const value: unknown = Reflect.get(owner, last);
  switch (shape) {
    case "there":
      return true;
    case "array":
      return Array.isArray(value);
    case "buffer":
      return Buffer.isBuffer(value);
    case "object":
      return isObject(value);
    case "function":
    case "number":
    case "string":
      return typeof value === shape;
  }
}

export function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
