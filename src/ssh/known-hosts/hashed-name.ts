/** Hashed host names, `|1|salt|HMAC-SHA1(salt, name)` (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT"). */
import { createHmac, randomBytes } from "node:crypto";
import { decodeBase64 } from "../keys/base64.js";
import { compress, expandBlock, expandWords, initialState, type Sha1State } from "./sha1.js";

/** A hashed name with its salt already worked in. */
export interface HashedName {
  /** SHA-1's state after the salt's inner and outer block (RFC 2104). */
  readonly inner: Sha1State;
  readonly outer: Sha1State;
  readonly digest: Int32Array;
}

const MAGIC = "|1|";
const BLOCK = 64;
const DIGEST = 20;

/** A new salted hash of a name, as HashKnownHosts writes it. */
export function hashName(name: string, salt = randomBytes(DIGEST)): string {
  const digest = createHmac("sha1", salt).update(name, "utf8").digest("base64");
  return `${MAGIC}${salt.toString("base64")}|${digest}`;
}

/** Null for a field that ssh takes for no hash of any name. */
export function readHashedName(field: string): HashedName | null {
  if (!field.startsWith(MAGIC)) return null;
  const [saltText, digestText, more] = field.slice(MAGIC.length).split("|");
  if (saltText === undefined || digestText === undefined || more !== undefined) return null;
  const salt = decodeBase64(saltText);
  const digest = decodeBase64(digestText);
  if (salt?.length !== DIGEST || digest?.length !== DIGEST) return null;
  return {
    inner: stateAfter(salt, 0x36),
    outer: stateAfter(salt, 0x5c),
    digest: Int32Array.from({ length: 5 }, (_, i) => digest.readInt32BE(i * 4)),
  };
}

/** Asks for one name: give the function each hashed line in turn. Its buffers are its own; it is cheap to call. */
export function nameHasher(name: string): (hashed: HashedName) => boolean {
  const blocks = paddedBlocks(Buffer.from(name, "latin1"));
  const state = initialState();
  const outerBlock = new Int32Array(80);
  return ({ inner, outer, digest }) => {
    state.set(inner);
    for (const block of blocks) compress(state, block, state);
    outerBlock.set(state);
    outerBlock[5] = 0x80000000 | 0;
    outerBlock.fill(0, 6, 15);
    outerBlock[15] = (BLOCK + DIGEST) * 8;
    expandWords(outerBlock);
    compress(outer, outerBlock, state);
    return digest[0] === state[0] && digest.every((word, i) => word === state[i]);
  };
}

function stateAfter(salt: Buffer, pad: number): Sha1State {
  const block = new Uint8Array(BLOCK).fill(pad);
  salt.forEach((byte, i) => (block[i] = byte ^ pad));
  const state = initialState();
  compress(state, expandBlock(block), state);
  return state;
}

/** The name as SHA-1's last blocks, after the salt's, each expanded. */
function paddedBlocks(name: Buffer): Int32Array[] {
  const padded = Buffer.alloc(Math.ceil((name.length + 9) / BLOCK) * BLOCK);
  name.copy(padded);
  padded[name.length] = 0x80;
  padded.writeUInt32BE((BLOCK + name.length) * 8, padded.length - 4);
  return Array.from({ length: padded.length / BLOCK }, (_, i) => expandBlock(padded.subarray(i * BLOCK)));
}
