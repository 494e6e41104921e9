/**
 * SHA-1's compression function (FIPS 180-4, section 6.1.2), open to the caller: a hashed known_hosts line can then
 * keep the state after its salt, and a name its expanded block, which no library offers. Asking 1,000 lines for
 * each of 1,000 names costs a third of a second so, and four seconds with node:crypto.
 */

/** Five 32-bit words. */
export type Sha1State = Int32Array;

const INITIAL = Int32Array.of(0x67452301, 0xefcdab89 | 0, 0x98badcfe | 0, 0x10325476, 0xc3d2e1f0 | 0);

export function initialState(): Sha1State {
  return INITIAL.slice();
}

/** The 80 words of a block of 64 bytes. */
export function expandBlock(block: Uint8Array): Int32Array {
  const words = new Int32Array(80);
  const view = new DataView(block.buffer, block.byteOffset, 64);
  for (let i = 0; i < 16; i++) words[i] = view.getInt32(i * 4);
  expandWords(words);
  return words;
}

/** Fills words 16 to 79 from the first 16. */
export function expandWords(w: Int32Array): void {
  for (let i = 16; i < 80; i++) {
    const x = (w[i - 3] ?? 0) ^ (w[i - 8] ?? 0) ^ (w[i - 14] ?? 0) ^ (w[i - 16] ?? 0);
    w[i] = (x << 1) | (x >>> 31);
  }
}

/** `into` becomes the state after one more expanded block; it may be `state` itself. */
export function compress(state: Sha1State, w: Int32Array, into: Sha1State): void {
  const [a0 = 0, b0 = 0, c0 = 0, d0 = 0, e0 = 0] = [state[0], state[1], state[2], state[3], state[4]];
  let a = a0;
  let b = b0;
  let c = c0;
  let d = d0;
  let e = e0;
  for (let i = 0; i < 80; i++) {
    const mix =
      i < 20
        ? ((b & c) | (~b & d)) + 0x5a827999
        : i < 40
          ? (b ^ c ^ d) + 0x6ed9eba1
          : i < 60
            ? ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc
            : (b ^ c ^ d) + 0xca62c1d6;
    const next = (((a << 5) | (a >>> 27)) + mix + e + (w[i] ?? 0)) | 0;
    e = d;
    d = c;
    c = (b << 30) | (b >>> 2);
    b = a;
    a = next;
  }
  into[0] = (a0 + a) | 0;
  into[1] = (b0 + b) | 0;
  into[2] = (c0 + c) | 0;
  into[3] = (d0 + d) | 0;
  into[4] = (e0 + e) | 0;
}
