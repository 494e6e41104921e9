import type { Duplex } from "node:stream";

/**
 * Makes all writes of one turn of the event loop a single write of the socket: ssh2 without its native addon writes each
 * packet in three pieces, and a handshake step is several packets. `exceptFirst` drops the first write: ssh2's
 * identification line, which was sent before ssh2 came.
 */
export function coalesceWrites(stream: Duplex, { exceptFirst }: { readonly exceptFirst: boolean }): void {
  const write: unknown = Reflect.get(stream, "write");
  if (typeof write !== "function") return;
  let dropNext = exceptFirst;
  Object.defineProperty(stream, "write", {
    configurable: true,
    // net replaces it when the peer has ended.
    writable: true,
    value: (...args: unknown[]): unknown => {
      if (dropNext) {
        dropNext = false;
        return true;
      }
      if (stream.writableCorked === 0) corkForThisTurn(stream);
      return Reflect.apply(write, stream, args);
    },
  });
}

/** The streams that are to be uncorked when the turn is over. */
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
