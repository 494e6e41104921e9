/** What the messages of a channel must keep to (RFC 4254, section 5); ssh2 checks none of it. */
import { EXTENDED_DATA_STDERR, MESSAGE } from "./message-numbers.js";
import type { ServerState } from "./server-state.js";

/** The window of RFC 4254, section 5.2, and the size that ssh2 gives to a channel. */
const MAX_WINDOW_BYTES = 2 ** 32 - 1;
const OWN_WINDOW_BYTES = 2 * 1024 * 1024;
/** As OpenSSH: a tenth of the window is forgiven before the connection is ended (channels.c, channel_input_data). */
const MAX_EXCESS_BYTES = OWN_WINDOW_BYTES / 10;
/** What a server must take in one packet. With 0, ssh2 would send empty packets without an end. */
const MIN_PACKET_BYTES = 64;

/** Remembers what one server has sent beyond its windows. */
export class ChannelRules {
  #excess = 0;

  /** What is wrong with a message; null: nothing. */
  broken(message: Uint8Array, state: ServerState): string | null {
    const [type = 0] = message;
    switch (type) {
      case MESSAGE.CHANNEL_DATA:
        return this.#data(uint32(message, 1), uint32(message, 5), state);
      case MESSAGE.CHANNEL_EXTENDED_DATA:
        // ssh2 drops data of other types.
        if (uint32(message, 5) !== EXTENDED_DATA_STDERR) return null;
        return this.#data(uint32(message, 1), uint32(message, 9), state);
      case MESSAGE.CHANNEL_WINDOW_ADJUST: {
        const windows = state.windows(uint32(message, 1));
        if (windows === null || windows.toServer + uint32(message, 5) <= MAX_WINDOW_BYTES) return null;
        return "it makes the window of a channel larger than 2^32-1 bytes";
      }
      case MESSAGE.CHANNEL_OPEN_CONFIRMATION:
        if (message.length < 17 || uint32(message, 13) >= MIN_PACKET_BYTES) return null;
        return `it opens a channel for packets of ${uint32(message, 13)} bytes; the least is ${MIN_PACKET_BYTES}`;
      default:
        return null;
    }
  }

  #data(channel: number, bytes: number, state: ServerState): string | null {
    const windows = state.windows(channel);
    if (windows === null || bytes <= windows.fromServer) return null;
    this.#excess += bytes - Math.max(0, windows.fromServer);
    if (this.#excess <= MAX_EXCESS_BYTES) return null;
    return "it sends more than the window of a channel takes";
  }
}

/** 0 beyond the message's end. */
function uint32(message: Uint8Array, at: number): number {
  // Called for each packet: a view of the four bytes would cost more than all else here.
  const high = (message[at] ?? 0) * 2 ** 24;
  return high + ((message[at + 1] ?? 0) << 16) + ((message[at + 2] ?? 0) << 8) + (message[at + 3] ?? 0);
}
