/**
 * Less memory for what a session keeps between key exchanges: what equals another session's is shared, and the rest is
 * taken out of larger buffers. Without it a session works the same and keeps more memory.
 */

/** What ssh2's protocol object keeps for the next key exchange. */
export interface KeptParts {
  /** Our identification line, as the exchange hash has it. */
  _identRaw: Buffer;
  /** The server's identification line. */
  _remoteIdentRaw: unknown;
  /** The algorithm lists of our KEXINIT, as ssh2 holds them; it only reads them. */
  _offer: object;
  readonly _cipher: object;
  readonly _decipher: unknown;
}

/**
 * Call after each key exchange. `offered`: the lists that `Client.connect` was given; sessions with the same lists share
 * one object of them.
 */
export function shareKeptParts(protocol: KeptParts, offered: object): void {
  const offer = OFFERS.get(offered) ?? protocol._offer;
  OFFERS.set(offered, offer);
  protocol._offer = offer;
  protocol._identRaw = sharedCopy(protocol._identRaw);
  const { _remoteIdentRaw: ident } = protocol;
  if (Buffer.isBuffer(ident)) protocol._remoteIdentRaw = sharedCopy(ident);
  leavePool(protocol._cipher);
  leavePool(protocol._decipher);
  forgetKeys(Reflect.get(protocol, "_kex"));
}

const OFFERS = new WeakMap<object, object>();

/** The key pair of a finished curve25519 exchange, which ssh2 keeps until the next one. */
function forgetKeys(exchange: unknown): void {
  if (typeof exchange === "object" && exchange !== null && "_keys" in exchange) exchange._keys = null;
}

const MAX_SHARED = 100;
const shared = new Map<string, Buffer>();

/** One buffer for all equal ones: for bytes that many sessions keep and none writes to. */
export function sharedCopy(bytes: Buffer): Buffer {
  const key = bytes.toString("latin1");
  const same = shared.get(key);
  if (same !== undefined) return same;
  // A server that sends a new text each time must not fill the memory.
  if (shared.size >= MAX_SHARED) shared.clear();
  const copy = ownCopy(bytes);
  shared.set(key, copy);
  return copy;
}

/**
 * Gives every buffer among an object's properties memory of its own. Small buffers are cut from a pool of 8 KiB, which is
 * kept as a whole for as long as one of them is.
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
