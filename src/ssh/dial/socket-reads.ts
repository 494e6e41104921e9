/**
 * Reads of a socket at little cost. Node makes 64 KiB of memory for each read, gives most of it back, and hands on what
 * came through a stream's queue; here all sockets are read into one place, and what came is copied and told at once.
 */
import type { OnReadOpts, Socket } from "node:net";

const MAX_BYTES = 64 * 1024;
/** Of every socket of a thread: what was read is copied before the next read. */
const place = Buffer.allocUnsafeSlow(MAX_BYTES);

/** Memory that is cut into copies, one after another; there is none at first. */
let slab = Buffer.alloc(0);
let used = 0;
/** A larger copy has memory of its own. */
const MAX_OF_SLAB = MAX_BYTES / 4;
/** A key exchange keeps some of what it reads for as long as the session, and would keep a whole slab with it. */
const FIRST_BYTES = 16 * 1024;

/**
 * For `net.connect`: what is read comes as `data` events of the `socket` that it makes, or waits in it, as without it;
 * `pause` and `resume` hold reading up as they do there (net.Socket's `onread`, Node 20).
 */
export function readsOf(socket: () => Socket): OnReadOpts {
  let heard = 0;
  return {
    buffer: place,
    callback(bytes) {
      heard += bytes;
      const isCut = heard > FIRST_BYTES && bytes <= MAX_OF_SLAB;
      const copy = isCut ? cut(bytes) : Buffer.allocUnsafeSlow(bytes);
      place.copy(copy, 0, 0, bytes);
      const stream = socket();
      // Nobody listens yet, or something waits to be heard first.
      if (stream.readableFlowing !== true || stream.readableLength > 0) return stream.push(copy);
      stream.emit("data", copy);
      return true;
    },
  };
}

/** To be written over at once. */
function cut(bytes: number): Buffer {
  if (used + bytes > slab.length) {
    slab = Buffer.allocUnsafeSlow(MAX_BYTES);
    used = 0;
  }
  used += bytes;
  return slab.subarray(used - bytes, used);
}
