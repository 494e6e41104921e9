/**
 * What one server may make us do. Messages, packets and bytes are counted, not time of the processor: a machine that is
 * busy, or a process that was stopped, makes no server guilty.
 */
import { HostError } from "../../contract/errors.js";
import type { Phase } from "../../contract/record.js";
import type { Clock } from "../../lib/clock.js";
import { Allowance, type Rate } from "./allowance.js";
import { ChannelRules } from "./channel-rules.js";
import { MESSAGE } from "./message-numbers.js";
import type { ServerState } from "./server-state.js";

/** Bytes of a session that wait to be sent. A tick's question has some KiB; more is a server that asks and never reads. */
export const MAX_UNSENT_BYTES = 1024 * 1024;
/** Messages before the login has ended, however long its banners are and however many keys are offered. */
const MAX_LOGIN_MESSAGES = 1000;
/** Key exchanges a minute: each costs a signature check. OpenSSH begins one a GiB, and `RekeyLimit` may ask for more. */
const MAX_KEY_EXCHANGES = 60;
/** Messages within one key exchange, which needs four. */
const MAX_EXCHANGE_MESSAGES = 100;
/** Requests a minute that no command of ours has led to. A server's keepalives are one a second at most. */
const MAX_REQUESTS = 1000;
/** Requests that are kept of minutes with fewer: the keepalives of hours in which this process was stopped. */
const MAX_KEPT_REQUESTS = 15_000;
/**
 * Packets a second, however small, and pieces in which the network brings them. A host that is read ten times a second
 * sends 40; this many cost a fortieth of a core.
 */
const MAX_PACKETS_PER_SECOND = 2_000;
/** Packets at once: a tool that writes each of its lines by itself. */
const MAX_KEPT_PACKETS = 20_000;
/** Bytes a second, decompressed. 16 GPUs with all of their tools are 1 MiB a tick. */
const MAX_BYTES_PER_SECOND = 8 * 1024 * 1024;
/** Bytes at once: four of the longest frames. */
const MAX_KEPT_BYTES = 128 * 1024 * 1024;

const rate = (perMinute: number, first: number, most = first): Rate => ({ perMinute, first, most });
const EXCHANGES = rate(MAX_KEY_EXCHANGES, MAX_KEY_EXCHANGES);
const REQUESTS = rate(MAX_REQUESTS, MAX_REQUESTS, MAX_KEPT_REQUESTS);
const PACKETS = rate(60 * MAX_PACKETS_PER_SECOND, MAX_KEPT_PACKETS);
const BYTES = rate(60 * MAX_BYTES_PER_SECOND, MAX_KEPT_BYTES);

const HOST_KEYS = Buffer.from("hostkeys-00@openssh.com");
/** SSH_MSG_IGNORE with an empty string (RFC 4253, section 11.2): ssh2 does nothing for it. */
const NOTHING = Buffer.from([MESSAGE.IGNORE, 0, 0, 0, 0]);

export type Exceeded = (error: HostError) => void;

/** Counts what one server sends. `exceeded` is called once, and no message passes after it. */
export class ServerLimits {
  readonly #name: string;
  #exceeded: Exceeded;
  #phase: Phase = "handshake";
  #state: ServerState | null = null;
  #isOver = false;
  #messages = 0;
  #loginMessages = 0;
  #exchangeMessages = 0;
  #packets = 0;
  #payloadBytes = 0;
  #forwards = 0;
  readonly #exchangesLeft: Allowance;
  readonly #requestsLeft: Allowance;
  readonly #packetsLeft: Allowance;
  readonly #bytesLeft: Allowance;
  readonly #channels = new ChannelRules();

  /** `name`: the host, for messages. */
  constructor(clock: Clock, name: string, exceeded: Exceeded) {
    this.#name = name;
    this.#exceeded = exceeded;
    this.#exchangesLeft = new Allowance(clock, EXCHANGES);
    this.#requestsLeft = new Allowance(clock, REQUESTS);
    this.#packetsLeft = new Allowance(clock, PACKETS);
    this.#bytesLeft = new Allowance(clock, BYTES);
  }

  /** The client is connected: `state` is asked from now on. */
  watch(state: ServerState): void {
    this.#state = state;
  }

  /** The user is in: a fleet's sessions, which stay for days, are ended by `exceeded` from now on. */
  loggedIn(exceeded: Exceeded): void {
    this.#phase = "sample";
    this.#exceeded = exceeded;
  }

  /** Connections to other hosts that the server carries: each may have as much as a host. */
  carries(forwards: number): void {
    this.#forwards = forwards;
  }

  /** Messages that were received whole. */
  get messages(): number {
    return this.#messages;
  }

  /** What ssh2 is to handle in place of a message, decompressed: mostly the message itself. */
  pass(message: Uint8Array): Uint8Array {
    if (this.#isOver) return NOTHING;
    this.#messages += 1;
    this.#payloadBytes += message.length;
    const [type = MESSAGE.IGNORE] = message;
    if (this.#phase === "handshake" && ++this.#loginMessages > MAX_LOGIN_MESSAGES)
      return this.#over(`it sent ${MAX_LOGIN_MESSAGES} messages and the login has not ended`);
    if (type === MESSAGE.KEXINIT) return this.#passKeyExchange(message);
    if (this.#state?.isExchangingKeys() === true) {
      if (++this.#exchangeMessages <= MAX_EXCHANGE_MESSAGES) return message;
      return this.#over(`it sent ${MAX_EXCHANGE_MESSAGES} messages and the key exchange has not ended`);
    }
    if (type > MESSAGE.CHANNEL_OPEN && type <= MESSAGE.CHANNEL_FAILURE)
      return this.#passOfChannel(type, message);
    switch (type) {
      case MESSAGE.DISCONNECT:
      case MESSAGE.REQUEST_SUCCESS:
      case MESSAGE.REQUEST_FAILURE:
        return message;
      case MESSAGE.SERVICE_ACCEPT:
      case MESSAGE.USERAUTH_FAILURE:
      case MESSAGE.USERAUTH_SUCCESS:
      case MESSAGE.USERAUTH_BANNER:
      case MESSAGE.USERAUTH_METHOD:
        // A server may answer requests that were sent ahead after it has let the user in.
        return this.#phase === "handshake" ? message : this.#passRequest(message);
      case MESSAGE.IGNORE:
      case MESSAGE.UNIMPLEMENTED:
      case MESSAGE.DEBUG:
      case MESSAGE.EXT_INFO:
      case MESSAGE.GLOBAL_REQUEST:
      case MESSAGE.CHANNEL_OPEN:
        return this.#passRequest(message);
      default:
        // Unknown, or what only a client may send: ssh2 would neither answer, nor be safe from all of it.
        if (this.#passRequest(message) !== NOTHING) this.#state?.refuse();
        return NOTHING;
    }
  }

  /** A piece of `bytes` was read from the socket, and ssh2 has handled it. */
  received(bytes: number): void {
    const now = this.#state?.packets() ?? 0;
    // A strict key exchange begins to count anew.
    const packets = now >= this.#packets ? now - this.#packets : now;
    this.#packets = now;
    const size = Math.max(bytes, this.#payloadBytes);
    this.#payloadBytes = 0;
    const shares = 1 + this.#forwards;
    if (!this.#packetsLeft.take(packets + 1, shares))
      this.#over(`it sends more than ${MAX_PACKETS_PER_SECOND} packets a second`);
    if (!this.#bytesLeft.take(size, shares))
      this.#over(`it sends more than ${MAX_BYTES_PER_SECOND / 1024 ** 2} MiB a second`);
  }

  #passKeyExchange(message: Uint8Array): Uint8Array {
    this.#exchangeMessages = 0;
    if (this.#exchangesLeft.take(1)) return message;
    return this.#over(`it began more than ${MAX_KEY_EXCHANGES} key exchanges within a minute`);
  }

  #passOfChannel(type: number, message: Uint8Array): Uint8Array {
    // The end of each command is a request that wants no reply.
    if (type === MESSAGE.CHANNEL_REQUEST) return wantsReply(message) ? this.#passRequest(message) : message;
    const broken = this.#state === null ? null : this.#channels.broken(message, this.#state);
    return broken === null ? message : this.#over(broken);
  }

  #passRequest(message: Uint8Array): Uint8Array {
    if (!this.#requestsLeft.take(1)) return this.#over(`it sent more than ${MAX_REQUESTS} requests a minute`);
    // ssh2 parses each key of the announcement, and nobody wants them (OpenSSH's PROTOCOL, 2.5).
    return announcesHostKeys(message) ? NOTHING : message;
  }

  /** `bytes` wait to be sent. */
  unsent(bytes: number): void {
    if (bytes <= MAX_UNSENT_BYTES) return;
    this.#over(`${MAX_UNSENT_BYTES / 1024 ** 2} MiB of our answers wait for it to read them`);
  }

  #over(why: string): Uint8Array {
    if (this.#isOver) return NOTHING;
    this.#isOver = true;
    this.#exceeded(
      new HostError("protocol-error", this.#phase, `${this.#name}: the server goes past a limit: ${why}`),
    );
    return NOTHING;
  }
}

/** byte CHANNEL_REQUEST, uint32 channel, string type, boolean want reply (RFC 4254, section 5.4). */
function wantsReply(message: Uint8Array): boolean {
  const bytes = Buffer.from(message.buffer, message.byteOffset, message.length);
  return bytes.length > 9 && bytes[9 + bytes.readUInt32BE(5)] !== 0;
}

/** byte GLOBAL_REQUEST, string name (RFC 4254, section 4). */
function announcesHostKeys(message: Uint8Array): boolean {
  if (message[0] !== MESSAGE.GLOBAL_REQUEST) return false;
  const [, a = 0, b = 0, c = 0, length = 0] = message;
  if (a + b + c !== 0 || length !== HOST_KEYS.length) return false;
  return HOST_KEYS.equals(message.subarray(5, 5 + length));
}
