/** What the limits on a server ask of the connection: its packets, key exchange and windows, from ssh2's inner parts. */
import { channelsOf, protocolOf, sendPacket, type Protocol } from "./internals.js";
import { MESSAGE } from "./message-numbers.js";

/** Bytes that may still be sent. */
export interface Windows {
  readonly toServer: number;
  readonly fromServer: number;
}

export interface ServerState {
  /** Packets received since the last strict key exchange; counts on from 0 after one. */
  packets(): number;
  isExchangingKeys(): boolean;
  /** Null: no such channel is open. */
  windows(channel: number): Windows | null;
  /** Answers the message that is being handled with SSH_MSG_UNIMPLEMENTED (RFC 4253, section 11.4). */
  refuse(): void;
}

/** One a connection; `client.connect` has been called. */
export class Ssh2State implements ServerState {
  readonly #protocol: Protocol;

  constructor(private readonly client: object) {
    this.#protocol = protocolOf(client);
  }

  packets(): number {
    const { _decipher: decipher } = this.#protocol;
    if (typeof decipher !== "object" || decipher === null) return 0;
    const count: unknown = Reflect.get(decipher, "inSeqno");
    return typeof count === "number" ? count : 0;
  }

  isExchangingKeys(): boolean {
    return this.#protocol._kexinit !== undefined;
  }

  windows(channel: number): Windows | null {
    const open = channelsOf(this.client)[channel];
    if (typeof open !== "object" || open === null) return null;
    const { incoming, outgoing } = open as Record<"incoming" | "outgoing", { readonly window: number }>;
    return { toServer: outgoing.window, fromServer: incoming.window };
  }

  refuse(): void {
    // The decipher counts a packet before it is handled.
    const number = (this.packets() - 1) >>> 0;
    const message = Buffer.alloc(5);
    message[0] = MESSAGE.UNIMPLEMENTED;
    message.writeUInt32BE(number, 1);
    sendPacket(this.#protocol, message);
  }
}
