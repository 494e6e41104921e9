/** Writes to a file that may have no space for all of it: only whole lines stay there. */
import type { Stats } from "node:fs";
import { open } from "node:fs/promises";
import { NEWLINE } from "../lib/bytes.js";

/** A file that is open for writing; a FileHandle is one. */
export interface OpenFile {
  readonly fd: number;
  stat(): Promise<Stats>;
  truncate(length: number): Promise<void>;
  /** Writes bytes from `offset` on, perhaps not all. */
  write(bytes: Uint8Array, offset: number): Promise<{ readonly bytesWritten: number }>;
}

/** Where a write fails, the file ends with the last whole line of the text. */
export async function writeWholeLines(file: OpenFile, text: string | Uint8Array): Promise<void> {
  const bytes = typeof text === "string" ? Buffer.from(text) : text;
  let done = 0;
  try {
    while (done < bytes.length) done += (await file.write(bytes, done)).bytesWritten;
  } catch (error) {
    const whole = done === 0 ? 0 : bytes.lastIndexOf(NEWLINE, done - 1) + 1;
    if (done > whole) await cutEnd(file, bytes.subarray(whole, done));
    throw new UnwrittenLines(error, linesIn(bytes.subarray(whole)));
  }
}

/** How many lines a failed write has not written, with its reason. */
export class UnwrittenLines extends Error {
  constructor(
    override readonly cause: unknown,
    readonly lines: number,
  ) {
    super(cause instanceof Error ? cause.message : String(cause));
  }
}

/** Takes the begin of a line off the end of the file, unless another program has written after it. */
async function cutEnd(file: OpenFile, part: Uint8Array): Promise<void> {
  const stats = await file.stat();
  if (!stats.isFile() || stats.size < part.length) return;
  const from = stats.size - part.length;
  // The descriptor cannot read. The file may have been renamed: `/dev/fd` leads to it all the same.
  const reader = await open(`/dev/fd/${file.fd}`, "r").catch(() => null);
  if (reader !== null) {
    try {
      const { buffer } = await reader.read(Buffer.alloc(part.length), 0, part.length, from);
      if (!buffer.equals(part)) return;
    } finally {
      await reader.close();
    }
  }
  await file.truncate(from);
}

/** Whole lines. */
export function linesIn(text: string | Uint8Array): number {
  const bytes = typeof text === "string" ? Buffer.from(text) : text;
  let lines = 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) lines += 1;
  return lines;
}
