import type { Duplex } from "node:stream";

/**
 * Makes all writes of one turn of the event loop a single write of the socket: ssh2 without its native addon writes each
 * packet in three pieces, and a handshake step is several packets. `exceptFirst` drops the first write: ssh2's
 * identification line, which was sent before ssh2 came.
 */
export function coalesceWrites(stream: Duplex, { exceptFirst }: { readonly exceptFirst: boolean }): void {
  const write: unknown = Reflect.get(stream, "write");
  if (typeof write !== "function") return;
  let corked = false;
  let dropNext = exceptFirst;
  const uncork = (): void => {
    corked = false;
    stream.uncork();
  };
  Object.defineProperty(stream, "write", {
    configurable: true,
    // net replaces it when the peer has ended.
    writable: true,
    value: (...args: unknown[]): unknown => {
      if (dropNext) {
        dropNext = false;
        return true;
      }
      if (!corked) {
        corked = true;
        stream.cork();
        setImmediate(uncork);
      }
      return Reflect.apply(write, stream, args);
    },
  });
}
