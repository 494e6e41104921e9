/**
 * Reads of a socket at little cost. Node allocates 64 KiB for each read, gives most of it back, and passes the bytes
 * through a stream's queue; here all sockets are read into one buffer, and the bytes are copied and emitted at once. It
 * replaces Node's own reads: without it a socket emits the same data.
 */
import type { OnReadOpts, Socket } from "node:net";

const READ_BUFFER_BYTES = 64 * 1024;
/** Shared by all sockets of a thread: what was read is copied before the next read. */
const readBuffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);

/** Memory that copies are cut from, one after another; there is none at first. */
let slab = Buffer.alloc(0);
let used = 0;
/** A larger copy has memory of its own. */
const MAX_SLAB_COPY_BYTES = READ_BUFFER_BYTES / 4;
/** A key exchange keeps some of the bytes that it reads for the whole session, and would keep a slab with them. */
const HANDSHAKE_BYTES = 16 * 1024;

/**
 * The `onread` option for `net.connect`. What is read is emitted as `data` events of the `socket` that it makes, or waits
 * in its queue, as without the option; `pause` and `resume` work as usual (net.Socket's `onread`, Node 20).
 */
export function readsOf(socket: () => Socket): OnReadOpts {
  let received = 0;
  return {
    buffer: readBuffer,
    callback(bytes) {
      received += bytes;
      const isCut = received > HANDSHAKE_BYTES && bytes <= MAX_SLAB_COPY_BYTES;
      const copy = isCut ? cut(bytes) : Buffer.allocUnsafeSlow(bytes);
      readBuffer.copy(copy, 0, 0, bytes);
      const stream = socket();
      // There is no listener yet, or older bytes wait in the queue.
      if (stream.readableFlowing !== true || stream.readableLength > 0) return stream.push(copy);
      stream.emit("data", copy);
      return true;
    },
  };
}

/** Uninitialized memory: the caller overwrites it at once. */
function cut(bytes: number): Buffer {
  if (used + bytes > slab.length) {
    slab = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);
    used = 0;
  }
  used += bytes;
  return slab.subarray(used - bytes, used);
}
