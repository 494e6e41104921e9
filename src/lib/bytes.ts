/** Texts and the bytes that they are. */

export const NEWLINE = 0x0a;

/** Whether a text is as many bytes of UTF-8 as characters. */
export function isAscii(text: string): boolean {
  return Buffer.byteLength(text) === text.length;
}

/** The same memory, of which numbers of several bytes can be read and written. */
export function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
