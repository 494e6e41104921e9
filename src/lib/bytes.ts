/** Bytes of texts. */

export const NEWLINE = 0x0a;

/** Whether a text has only ASCII: as many bytes of UTF-8 as characters. */
export function isAscii(text: string): boolean {
  return Buffer.byteLength(text) === text.length;
}

/** A view of the same memory, for reading and writing numbers of several bytes. */
export function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
