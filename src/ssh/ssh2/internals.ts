/**
 * The few private parts of ssh2 1.17 that its public API has no way around: sending our own authentication requests (for
 * certificates, security keys, and fewer round trips), leaving the server's other host keys unproven, a keepalive that is
 * only sent when nothing else was heard, and sharing between sessions what is the same in all. Everything is checked once
 * a connection; package.json pins the version.
 */

import { exchangeRawKeys } from "./curve25519.js";
import { leavePool, sharedCopy } from "./kept-bytes.js";

export interface AuthenticationHandlers {
  serviceAccepted(): void;
  keyAccepted(): void;
  failure(methods: readonly string[], partialSuccess: boolean): void;
  /** SSH_MSG_USERAUTH_BANNER, as the server wrote it. */
  banner(text: string): void;
  success(): void;
}

export interface Ssh2Internals {
  /** The session identifier of the first key exchange; authentication signs it. */
  sessionId(): Buffer;
  /** `server-sig-algs` of EXT_INFO (RFC 8308); null until it came. */
  serverAlgorithms(): readonly string[] | null;
  /** Sends an SSH_MSG_USERAUTH_REQUEST that is complete. */
  send(method: "publickey" | "none", payload: Buffer): void;
  /** The server's software version, from its first line; empty until it came. */
  serverSoftware(): string;
}

interface PacketWriter {
  readonly allocStart: number;
  alloc(length: number): Uint8Array;
  finalize(packet: Uint8Array): Uint8Array;
}
type Handler = (protocol: unknown, ...args: unknown[]) => void;
interface Protocol {
  /** Our identification line as the exchange hash has it, and the server's; the first KEXINIT's lists. */
  _identRaw: Buffer;
  _remoteIdentRaw: unknown;
  _offer: object;
  _decipher: unknown;
  readonly _handlers: Record<string, Handler>;
  readonly _authsQueue: string[];
  readonly _packetRW: { readonly write: PacketWriter };
  readonly _cipher: { encrypt(packet: Uint8Array): void };
  /** Set while a key exchange is under way; packets wait in `_queue` then. */
  readonly _kexinit: unknown;
  _queue: Uint8Array[] | undefined;
  ping(): void;
}

const AUTHENTICATION = [
  "SERVICE_ACCEPT",
  "EXT_INFO",
  "USERAUTH_FAILURE",
  "USERAUTH_PK_OK",
  "USERAUTH_BANNER",
  "USERAUTH_SUCCESS",
];
const HANDLERS = [...AUTHENTICATION, "GLOBAL_REQUEST"];

/**
 * Takes authentication over from a client whose `connect` was just called, until the user is in. Throws when this is not
 * the ssh2 that we know; the caller must not go on then.
 */
export function takeOverAuthentication(client: object, handlers: AuthenticationHandlers): Ssh2Internals {
  const protocol = protocolOf(client);
  exchangeRawKeys(protocol);
  const own = protocol._handlers;
  let algorithms: readonly string[] | null = null;
  const succeed = own["USERAUTH_SUCCESS"];
  own["SERVICE_ACCEPT"] = () => handlers.serviceAccepted();
  own["USERAUTH_PK_OK"] = () => handlers.keyAccepted();
  own["USERAUTH_FAILURE"] = (_, methods, partial) => handlers.failure(textList(methods), partial === true);
  own["USERAUTH_BANNER"] = (_, text) => handlers.banner(typeof text === "string" ? text : "");
  own["EXT_INFO"] = (_, extensions) => (algorithms ??= signatureAlgorithms(extensions));
  own["USERAUTH_SUCCESS"] = (...args) => {
    handlers.success();
    // They hold all that authentication needed, and nothing more is expected of them.
    for (const name of AUTHENTICATION) own[name] = ignore;
    succeed?.(...args);
  };
  leaveUnproven(own);
  return {
    sessionId: () => {
      const exchange: unknown = Reflect.get(protocol, "_kex");
      const id: unknown =
        typeof exchange === "object" && exchange !== null ? Reflect.get(exchange, "sessionID") : null;
      if (!Buffer.isBuffer(id)) throw new Error("no session identifier yet");
      return id;
    },
    serverAlgorithms: () => algorithms,
    send: (method, payload) => {
      protocol._authsQueue.push(method);
      sendPacket(protocol, payload);
    },
    serverSoftware: () => {
      const version: unknown = Reflect.get(client, "_remoteVer");
      return typeof version === "string" ? version : "";
    },
  };
}

const ignore: Handler = () => undefined;

/** Proving the server's other host keys costs a fifth of the connection and nobody here wants them. */
function leaveUnproven(own: Protocol["_handlers"]): void {
  const answer = own["GLOBAL_REQUEST"];
  own["GLOBAL_REQUEST"] = (...args) => {
    if (args[1] !== "hostkeys-00@openssh.com") answer?.(...args);
  };
}

/** Sends a keepalive@openssh.com request, whose answer is of no interest. */
export function pingServer(client: object): void {
  protocolOf(client).ping();
}

/** What ssh2 calls us in the exchange hash: the line itself went out before ssh2 came. Call right after `connect`. */
export function introduceAs(client: object, line: string): void {
  protocolOf(client)._identRaw = sharedCopy(Buffer.from(line, "latin1"));
}

/**
 * Call after each key exchange. What a session keeps of it for the next one is shared with the sessions that have the
 * same, and what else it keeps no longer holds on to the memory that was around it. `offered`: the lists that `connect`
 * was given.
 */
export function settleKeyExchange(client: object, offered: object): void {
  const protocol = protocolOf(client);
  const offer = OFFERS.get(offered) ?? protocol._offer;
  OFFERS.set(offered, offer);
  protocol._offer = offer;
  const { _remoteIdentRaw: ident } = protocol;
  if (Buffer.isBuffer(ident)) protocol._remoteIdentRaw = sharedCopy(ident);
  leavePool(protocol._cipher);
  leavePool(protocol._decipher);
  forgetKeys(Reflect.get(protocol, "_kex"));
}

/** The pair of keys of a curve25519 exchange, which is over: ssh2 keeps it until the next one. */
function forgetKeys(exchange: unknown): void {
  if (typeof exchange === "object" && exchange !== null && "_keys" in exchange) exchange._keys = null;
}

/** ssh2's form of an offer, which it only reads. */
const OFFERS = new WeakMap<object, object>();

function sendPacket(protocol: Protocol, payload: Buffer): void {
  const writer = protocol._packetRW.write;
  const start = writer.allocStart;
  const packet = writer.alloc(payload.length);
  packet.set(payload, start);
  const finished = writer.finalize(packet);
  if (protocol._kexinit === undefined) protocol._cipher.encrypt(finished);
  else (protocol._queue ??= []).push(finished);
}

function protocolOf(client: object): Protocol {
  const protocol: unknown = Reflect.get(client, "_protocol");
  if (!isProtocol(protocol)) throw new Error("this version of ssh2 is not the one that is supported");
  return protocol;
}

function isProtocol(value: unknown): value is Protocol {
  if (typeof value !== "object" || value === null) return false;
  const part = (name: string): unknown => Reflect.get(value, name);
  const handlers = part("_handlers");
  const packets = part("_packetRW");
  const cipher = part("_cipher");
  if (typeof handlers !== "object" || handlers === null || typeof packets !== "object" || packets === null)
    return false;
  if (typeof cipher !== "object" || cipher === null || typeof Reflect.get(cipher, "encrypt") !== "function")
    return false;
  const writer: unknown = Reflect.get(packets, "write");
  return (
    HANDLERS.every((name) => typeof Reflect.get(handlers, name) === "function") &&
    Array.isArray(part("_authsQueue")) &&
    Buffer.isBuffer(part("_identRaw")) &&
    typeof part("_offer") === "object" &&
    ["_kexinit", "_remoteIdentRaw", "_decipher"].every((name) => name in value) &&
    typeof part("ping") === "function" &&
    typeof writer === "object" &&
    writer !== null &&
    typeof Reflect.get(writer, "allocStart") === "number" &&
    typeof Reflect.get(writer, "alloc") === "function" &&
    typeof Reflect.get(writer, "finalize") === "function"
  );
}

function signatureAlgorithms(extensions: unknown): readonly string[] | null {
  if (!Array.isArray(extensions)) return null;
  for (const extension of extensions as unknown[]) {
    if (typeof extension !== "object" || extension === null) continue;
    if (Reflect.get(extension, "name") === "server-sig-algs") return textList(Reflect.get(extension, "algs"));
  }
  return null;
}

function textList(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}
