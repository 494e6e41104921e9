/**
 * The few private parts of ssh2 1.17 that are used because its public API has nothing for the purpose: sending our own
 * authentication requests (for certificates and security keys), identification lines that were exchanged before ssh2 got
 * the stream, and a keepalive that is only sent when nothing else was received. inner-parts.ts lists them; they are checked
 * for each connection. package.json pins the version.
 */
import type { Duplex } from "node:stream";
import { INNER_PARTS, isObject, isThere } from "./inner-parts.js";

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
  /** `server-sig-algs` of EXT_INFO (RFC 8308); null until it is received. */
  serverAlgorithms(): readonly string[] | null;
  /** Sends a complete SSH_MSG_USERAUTH_REQUEST. */
  send(method: "publickey" | "none", payload: Buffer): void;
  /** The server's software version, from its identification line; empty until it is received. */
  serverSoftware(): string;
}

interface PacketWriter {
  readonly allocStart: number;
  alloc(length: number): Uint8Array;
  finalize(packet: Uint8Array): Uint8Array;
}
interface PacketReader {
  /** The payload of a packet, decompressed. */
  read(payload: Uint8Array): Uint8Array;
}
type Handler = (protocol: unknown, ...args: unknown[]) => void;
/** The parts of ssh2's protocol object that are used. */
export interface Protocol {
  /** Our identification line as the exchange hash has it, and the server's; the first KEXINIT's lists. */
  _identRaw: Buffer;
  _remoteIdentRaw: unknown;
  _offer: object;
  _decipher: unknown;
  readonly _handlers: Record<string, Handler>;
  readonly _authsQueue: string[];
  readonly _packetRW: { readonly write: PacketWriter; readonly read: PacketReader };
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

/**
 * Takes authentication over from a client whose `connect` was just called, until the user is in. Throws when this is not
 * the supported version of ssh2; the caller must not go on then.
 */
export function takeOverAuthentication(client: object, handlers: AuthenticationHandlers): Ssh2Internals {
  const protocol = protocolOf(client);
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
    // These handlers hold everything that authentication needed, and are not called any more.
    for (const name of AUTHENTICATION) own[name] = ignore;
    succeed?.(...args);
  };
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

/** As OpenSSH's buffers of packets (PACKET_MAX_SIZE); a packet of 35 KB may decompress to a thousand times as much. */
const MAX_DECOMPRESSED_BYTES = 256 * 1024;

/**
 * Every message that is received goes through `pass` first: ssh2 handles what it returns. Call right after `connect`, and
 * again once the user is in, when ssh2 may have begun to decompress.
 */
export function filterMessages(client: object, pass: (message: Uint8Array) => Uint8Array): void {
  const { read: reader } = protocolOf(client)._packetRW;
  if (Object.hasOwn(reader, "read")) return;
  const read = reader.read.bind(reader);
  const inflater: unknown = Reflect.get(reader, "_zlib");
  if (typeof inflater === "object" && inflater !== null)
    Reflect.set(inflater, "_maxOutputLength", MAX_DECOMPRESSED_BYTES);
  Object.defineProperty(reader, "read", {
    configurable: true,
    value: (payload: Uint8Array): Uint8Array => pass(read(payload)),
  });
}

/** Sends a keepalive@openssh.com request; its answer is ignored. */
export function pingServer(client: object): void {
  protocolOf(client).ping();
}

/**
 * Puts our identification line, which was sent before ssh2 got the stream, into ssh2's exchange hash. Call right after
 * `connect`.
 */
export function introduceAs(client: object, line: string): void {
  protocolOf(client)._identRaw = Buffer.from(line, "latin1");
}

/** Drops the first write to the stream: ssh2's own identification line, for ours has been sent. Call before `connect`. */
export function dropFirstWrite(stream: Duplex): void {
  const write: unknown = Reflect.get(stream, "write");
  if (typeof write !== "function") return;
  // Writable, because net replaces it when the peer has ended.
  const define = (value: unknown): void =>
    void Object.defineProperty(stream, "write", { configurable: true, writable: true, value });
  define(() => {
    define(write);
    return true;
  });
}

/** As ssh2 sends its own: encrypted, or queued while keys are exchanged. */
export function sendPacket(protocol: Protocol, payload: Buffer): void {
  const writer = protocol._packetRW.write;
  const start = writer.allocStart;
  const packet = writer.alloc(payload.length);
  packet.set(payload, start);
  const finished = writer.finalize(packet);
  if (protocol._kexinit === undefined) protocol._cipher.encrypt(finished);
  else (protocol._queue ??= []).push(finished);
}

/** The protocol object of a client whose `connect` was called. Throws when this is not the supported version of ssh2. */
export function protocolOf(client: object): Protocol {
  const protocol: unknown = Reflect.get(client, "_protocol");
  if (typeof protocol === "object" && protocol !== null && SUPPORTED.has(protocol))
    return protocol as Protocol;
  if (!AT_ONCE.every((part) => isThere(client, part)))
    throw new Error("this version of ssh2 is not the one that is supported");
  SUPPORTED.add(protocol as Protocol);
  return protocol as Protocol;
}

/** Protocol objects whose client was checked: the parts are looked for once a connection. */
const SUPPORTED = new WeakSet<object>();

const AT_ONCE = INNER_PARTS.filter(({ from }) => from === "connect");

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

/** The client's channels by their numbers; one that is being opened is a function. */
export function channelsOf(client: object): Readonly<Record<number, unknown>> {
  const manager: unknown = Reflect.get(client, "_chanMgr");
  const channels: unknown = isObject(manager) ? Reflect.get(manager, "_channels") : null;
  return isObject(channels) ? (channels as Readonly<Record<number, unknown>>) : {};
}

/**
 * Closes the channels whose command the server refused: ssh2 leaves them open, and the server counts them as sessions
 * (MaxSessions in sshd_config(5)). No command may be waiting for its reply.
 */
export function closeRefused(client: object): void {
  for (const channel of Object.values(channelsOf(client))) {
    if (!isObject(channel)) continue;
    const { type, subtype, close } = channel as Partial<SessionChannel>;
    if (type === "session" && subtype === undefined) close?.call(channel);
  }
}

/** A Channel of ssh2, as far as it is needed. */
interface SessionChannel {
  readonly type: string;
  /** Undefined: it runs nothing. */
  readonly subtype: string | undefined;
  readonly close: () => void;
}
