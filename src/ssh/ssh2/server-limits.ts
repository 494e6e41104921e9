/** What one server may make us do: bounds on the messages that ssh2 handles, and on the answers that the server never reads. */
import { HostError } from "../../contract/errors.js";
import type { Phase } from "../../contract/record.js";
import type { Clock } from "../../lib/clock.js";

/** Bytes of a session that wait to be sent. A tick's question has some KiB; more is a server that asks and never reads. */
export const MAX_UNSENT_BYTES = 1024 * 1024;
/** Messages before the login has ended, however long its banners are and however many keys are offered. */
const MAX_LOGIN_MESSAGES = 1000;
/** Key exchanges a minute: each costs a signature check. OpenSSH begins one a GiB, and `RekeyLimit` may ask for more. */
const MAX_KEY_EXCHANGES = 60;
/** Requests a minute that no command of ours has led to. A server's keepalives are one a second at most. */
const MAX_REQUESTS = 1000;
const WINDOW_MS = 60_000;

/** Message numbers of RFC 4250, section 4.1.2. */
const IGNORE = 2;
const DEBUG = 4;
const KEXINIT = 20;
const GLOBAL_REQUEST = 80;
const CHANNEL_OPEN = 90;
const CHANNEL_DATA = 94;
const CHANNEL_REQUEST = 98;

const HOST_KEYS = Buffer.from("hostkeys-00@openssh.com");
/** SSH_MSG_IGNORE with an empty string (RFC 4253, section 11.2): ssh2 does nothing for it. */
const NOTHING = Buffer.from([IGNORE, 0, 0, 0, 0]);

export type Exceeded = (error: HostError) => void;

/** Counts the messages of one server. `exceeded` is called once, and no message passes after it. */
export class ServerLimits {
  readonly #clock: Clock;
  readonly #name: string;
  #exceeded: Exceeded;
  #phase: Phase = "handshake";
  #isOver = false;
  #messages = 0;
  #loginMessages = 0;
  #windowFromMs: number;
  #keyExchanges = 0;
  #requests = 0;

  /** `name`: the host, for messages. */
  constructor(clock: Clock, name: string, exceeded: Exceeded) {
    this.#clock = clock;
    this.#name = name;
    this.#exceeded = exceeded;
    this.#windowFromMs = clock.nowMs();
  }

  /** The user is in: a fleet's sessions, which stay for days, are ended by `exceeded` from now on. */
  loggedIn(exceeded: Exceeded): void {
    this.#phase = "sample";
    this.#exceeded = exceeded;
  }

  /** Messages that were received whole. */
  get messages(): number {
    return this.#messages;
  }

  /** What ssh2 is to handle in place of a message, decompressed: mostly the message itself. */
  pass(message: Uint8Array): Uint8Array {
    if (this.#isOver) return NOTHING;
    this.#messages += 1;
    const [type = IGNORE] = message;
    // Nearly every message of a session.
    if (type === CHANNEL_DATA) return message;
    if (this.#phase === "handshake" && ++this.#loginMessages > MAX_LOGIN_MESSAGES)
      return this.#over(`it sent ${MAX_LOGIN_MESSAGES} messages and the login has not ended`);
    switch (type) {
      case KEXINIT:
        this.#count();
        if (++this.#keyExchanges <= MAX_KEY_EXCHANGES) return message;
        return this.#over(`it began more than ${MAX_KEY_EXCHANGES} key exchanges within a minute`);
      case CHANNEL_REQUEST:
        // The end of each command is one that wants no reply.
        return wantsReply(message) ? this.#passRequest(message) : message;
      case IGNORE:
      case DEBUG:
      case GLOBAL_REQUEST:
      case CHANNEL_OPEN:
        return this.#passRequest(message);
      default:
        return message;
    }
  }

  #passRequest(message: Uint8Array): Uint8Array {
    this.#count();
    if (++this.#requests > MAX_REQUESTS)
      return this.#over(`it sent more than ${MAX_REQUESTS} requests within a minute`);
    // ssh2 parses each key of the announcement, and nobody wants them (OpenSSH's PROTOCOL, 2.5).
    return announcesHostKeys(message) ? NOTHING : message;
  }

  /** `bytes` wait to be sent. */
  unsent(bytes: number): void {
    if (bytes <= MAX_UNSENT_BYTES || this.#isOver) return;
    this.#over(`${MAX_UNSENT_BYTES / 1024 ** 2} MiB of our answers wait for it to read them`);
  }

  #count(): void {
    const now = this.#clock.nowMs();
    if (now - this.#windowFromMs < WINDOW_MS) return;
    this.#windowFromMs = now;
    this.#keyExchanges = 0;
    this.#requests = 0;
  }

  #over(why: string): Uint8Array {
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
  if (message[0] !== GLOBAL_REQUEST) return false;
  const [, a = 0, b = 0, c = 0, length = 0] = message;
  if (a + b + c !== 0 || length !== HOST_KEYS.length) return false;
  return HOST_KEYS.equals(message.subarray(5, 5 + length));
}
