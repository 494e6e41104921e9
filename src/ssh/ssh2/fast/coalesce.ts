/** Fewer writes to the socket. Without it ssh2 writes the same bytes in more pieces. */
import type { Duplex } from "node:stream";

/**
 * Makes all writes of one turn of the event loop a single write of the socket: ssh2 without its native addon writes each
 * packet in three pieces, and a handshake step is several packets.
 */
export function coalesceWrites(stream: Duplex): void {
  const write: unknown = Reflect.get(stream, "write");
  if (typeof write !== "function") return;
  Object.defineProperty(stream, "write", {
    configurable: true,
    // net replaces it when the peer has ended.
    writable: true,
    value: (...args: unknown[]): unknown => {
      if (stream.writableCorked === 0) corkForThisTurn(stream);
      return Reflect.apply(write, stream, args);
    },
  });
}

/** The streams to uncork at the end of the turn. */
let corked: Duplex[] = [];

function corkForThisTurn(stream: Duplex): void {
  stream.cork();
  if (corked.length === 0) setImmediate(uncorkAll);
  corked.push(stream);
}

function uncorkAll(): void {
  const streams = corked;
  corked = [];
  for (const stream of streams) stream.uncork();
}
