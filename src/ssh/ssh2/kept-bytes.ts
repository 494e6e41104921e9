/** Bytes that are kept for the length of a session. */

const MAX_SHARED = 100;
const shared = new Map<string, Buffer>();

/** One buffer for all equal ones: what many sessions keep, and none writes to. */
export function sharedCopy(bytes: Buffer): Buffer {
  const key = bytes.toString("latin1");
  const same = shared.get(key);
  if (same !== undefined) return same;
  // A server that says something new each time must not fill the memory.
  if (shared.size >= MAX_SHARED) shared.clear();
  const copy = ownCopy(bytes);
  shared.set(key, copy);
  return copy;
}

/**
 * Gives every buffer among an object's properties memory of its own. Small buffers are cut from a pool of 8 KiB, all of
 * which is kept for as long as one of them is.
 */
export function leavePool(part: unknown): void {
  if (typeof part !== "object" || part === null) return;
  for (const [name, value] of Object.entries(part) as [string, unknown][]) {
    if (Buffer.isBuffer(value) && value.buffer.byteLength >= Buffer.poolSize)
      Reflect.set(part, name, ownCopy(value));
  }
}

function ownCopy(bytes: Buffer): Buffer {
  const copy = Buffer.alloc(bytes.length);
  bytes.copy(copy);
  return copy;
}
