/**
 * `isHashOf` for many lines and many names: HMAC-SHA1 with the part that depends on the salt computed once a line, and
 * the part that depends on the name once a name (RFC 2104).
 */
import type { HashedName } from "../entry-names.js";
import { compress, expandBlock, expandSchedule, initialState, type Sha1State } from "./sha1.js";

/** A hashed name with its salt already processed. */
export interface PreparedHash {
  /** SHA-1's state after the salt's inner and outer block. */
  readonly inner: Sha1State;
  readonly outer: Sha1State;
  readonly digest: Int32Array;
}

const BLOCK_BYTES = 64;
const DIGEST_BYTES = 20;

export function prepareHash({ salt, digest }: HashedName): PreparedHash {
  return {
    inner: stateAfter(salt, 0x36),
    outer: stateAfter(salt, 0x5c),
    digest: Int32Array.from({ length: 5 }, (_, i) => digest.readInt32BE(i * 4)),
  };
}

/** A test for one name, one byte a character: call it with each prepared hash in turn. It reuses its own buffers. */
export function nameHasher(name: string): (hash: PreparedHash) => boolean {
  const blocks = paddedBlocks(Buffer.from(name, "latin1"));
  const state = initialState();
  const outerBlock = new Int32Array(80);
  return ({ inner, outer, digest }) => {
    state.set(inner);
    for (const block of blocks) compress(state, block, state);
    outerBlock.set(state);
    outerBlock[5] = 0x80000000 | 0;
    outerBlock.fill(0, 6, 15);
    outerBlock[15] = (BLOCK_BYTES + DIGEST_BYTES) * 8;
    expandSchedule(outerBlock);
    compress(outer, outerBlock, state);
    return digest[0] === state[0] && digest.every((value, i) => value === state[i]);
  };
}

function stateAfter(salt: Buffer, pad: number): Sha1State {
  const block = new Uint8Array(BLOCK_BYTES).fill(pad);
  salt.forEach((byte, i) => (block[i] = byte ^ pad));
  const state = initialState();
  compress(state, expandBlock(block), state);
  return state;
}

/** The name as SHA-1's last blocks, after the salt's, each expanded. */
function paddedBlocks(name: Buffer): Int32Array[] {
  const padded = Buffer.alloc(Math.ceil((name.length + 9) / BLOCK_BYTES) * BLOCK_BYTES);
  name.copy(padded);
  padded[name.length] = 0x80;
  padded.writeUInt32BE((BLOCK_BYTES + name.length) * 8, padded.length - 4);
  return Array.from({ length: padded.length / BLOCK_BYTES }, (_, i) =>
    expandBlock(padded.subarray(i * BLOCK_BYTES)),
  );
}
