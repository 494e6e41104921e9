/** The bytes of one frame, chunk by chunk, until its end marker is in them. */
import { QuickFrameBytes } from "./fast/frame-bytes.js";

export interface FrameBytes {
  /** Begins every marker line, the newline before it included. */
  readonly marker: Buffer;
  /** Bytes that are held. */
  readonly length: number;
  /** Forgets what is held. The frame ends with the marker and this text, ASCII. */
  begin(lastLine: string): void;
  /** Holds nothing until `begin`: chunks are views of larger buffers. */
  forget(): void;
  /** True when the frame's end is in what came so far. Not to be called again after that, before `begin`. */
  push(chunk: Buffer, nowMs: number): boolean;
  /** All that came since `begin`. To be read at once: the next call may return the same memory. */
  whole(): Buffer;
  /** For the time at which the byte at an offset arrived. To be asked with offsets that only grow. */
  arrivals(): (offset: number) => number;
}

/** The switch: PlainFrameBytes does the same, slower. test/remote/frame.test.ts compares them. */
export function createFrameBytes(marker: string): FrameBytes {
  return new QuickFrameBytes(marker);
}

export class PlainFrameBytes implements FrameBytes {
  readonly marker: Buffer;
  #whole: Buffer = Buffer.alloc(0);
  #end = "";
  /** Offset of the first byte after each chunk, and when the chunk came. */
  #chunks: { readonly end: number; readonly atMs: number }[] = [];

  constructor(marker: string) {
    this.marker = Buffer.from(marker);
  }

  get length(): number {
    return this.#whole.length;
  }

  begin(lastLine: string): void {
    this.forget();
    this.#end = `${this.marker.toString()}${lastLine}`;
  }

  forget(): void {
    this.#whole = Buffer.alloc(0);
    this.#chunks = [];
  }

  push(chunk: Buffer, nowMs: number): boolean {
    this.#whole = Buffer.concat([this.#whole, chunk]);
    this.#chunks.push({ end: this.#whole.length, atMs: nowMs });
    return this.#whole.includes(this.#end);
  }

  whole(): Buffer {
    return this.#whole;
  }

  arrivals(): (offset: number) => number {
    return (offset) => (this.#chunks.find(({ end }) => offset < end) ?? this.#chunks.at(-1))?.atMs ?? 0;
  }
}
