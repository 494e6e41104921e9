/**
 * The quick form of PlainFrameBytes (../frame-bytes.ts): a tick's frame comes in a chunk or a few, and none of them is
 * copied or searched twice.
 */
import { NEWLINE } from "../../lib/bytes.js";

/** Where the chunks of the usual frame are put together: a buffer for each frame costs more than its reading. */
const joined = Buffer.allocUnsafeSlow(64 * 1024);

export class QuickFrameBytes {
  readonly marker: Buffer;
  #chunks: Buffer[] = [];
  #arrivals: number[] = [];
  #length = 0;
  /** The frame's last line. */
  #end: Buffer;

  constructor(marker: string) {
    // Its own memory: a small buffer from Node's pool would keep 8 KiB alive for as long as the session stands.
    this.marker = Buffer.alloc(marker.length);
    this.marker.write(marker);
    this.#end = this.marker;
  }

  get length(): number {
    return this.#length;
  }

  begin(lastLine: string): void {
    this.forget();
    const length = this.marker.length + lastLine.length;
    if (this.#end.length !== length) {
      this.#end = Buffer.alloc(length);
      this.marker.copy(this.#end);
    }
    this.#end.write(lastLine, this.marker.length, "latin1");
  }

  forget(): void {
    if (this.#chunks.length === 0) return;
    this.#chunks = [];
    this.#arrivals = [];
    this.#length = 0;
  }

  push(chunk: Buffer, nowMs: number): boolean {
    this.#length += chunk.length;
    this.#chunks.push(chunk);
    this.#arrivals.push(nowMs);
    // The usual last chunk: the end marker is at its end.
    return this.#hasEndAt(chunk.length - 1) || this.#hasEndAcross(chunk) || chunk.includes(this.#end);
  }

  /** The end marker may begin in earlier chunks. Its last byte is a newline, and one within its length of this chunk's start. */
  #hasEndAcross(chunk: Buffer): boolean {
    if (this.#chunks.length === 1) return false;
    const limit = Math.min(chunk.length, this.#end.length - 1);
    for (let at = 0; at < limit; at++) if (chunk[at] === NEWLINE && this.#hasEndAt(at)) return true;
    return false;
  }

  /** Whether the bytes up to and with this one of the last chunk end with the end marker. */
  #hasEndAt(last: number): boolean {
    let index = this.#chunks.length - 1;
    let chunk = this.#chunks[index];
    let at = last;
    for (let place = this.#end.length - 1; place >= 0; place--, at--) {
      while (at < 0) {
        chunk = this.#chunks[--index];
        if (chunk === undefined) return false;
        at = chunk.length - 1;
      }
      if (chunk?.[at] !== this.#end[place]) return false;
    }
    return true;
  }

  /** The next frame, of whichever host, overwrites it. */
  whole(): Buffer {
    const [first] = this.#chunks;
    if (this.#chunks.length === 1 && first !== undefined) return first;
    if (this.#length > joined.length) return Buffer.concat(this.#chunks);
    let length = 0;
    for (const chunk of this.#chunks) {
      joined.set(chunk, length);
      length += chunk.length;
    }
    return joined.subarray(0, length);
  }

  arrivals(): (offset: number) => number {
    let chunk = 0;
    let end = this.#chunks[0]?.length ?? 0;
    return (offset) => {
      while (offset >= end && chunk < this.#chunks.length - 1) end += this.#chunks[++chunk]?.length ?? 0;
      return this.#arrivals[chunk] ?? 0;
    };
  }
}
